"""What a person reads of a comment."""

from cloud_agent_local.github.pages.rendering import _markdown


def test_a_comment_of_html_is_hidden_and_a_fold_stays_a_fold() -> None:
    shown = _markdown("<!-- marker -->\n<details><summary>More</summary>\n\n**text**\n</details>")

    assert "marker" not in shown
    assert "<details><summary>More</summary>" in shown
    assert "<strong>text</strong>" in shown


def test_nothing_in_a_comment_runs() -> None:
    shown = _markdown("<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))")

    assert "script>" not in shown
    assert "onerror" not in shown
    assert 'href="javascript' not in shown
