"""What a person reads of a comment."""

from __future__ import annotations

from local_github.pages.markdown import rendered


def test_a_comment_of_html_is_hidden_and_a_fold_stays_a_fold() -> None:
    shown = rendered("<!-- marker -->\n<details><summary>More</summary>\n\n**text**\n</details>")

    assert "marker" not in shown
    assert "<details><summary>More</summary>" in shown
    assert "<strong>text</strong>" in shown


def test_nothing_in_a_comment_runs() -> None:
    shown = rendered("<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))")

    assert "script>" not in shown
    assert "onerror" not in shown
    assert 'href="javascript' not in shown


def test_a_quotation_that_begins_with_a_kind_of_alert_is_a_box_with_its_title() -> None:
    shown = rendered("> [!WARNING]\n> The **session** ends.\n\n> [!RUMOUR]\n> Not so.")

    assert '<div class="alert warning">\n<p><strong>Warning</strong></p>\n<p>The <strong>session</strong>' in shown
    assert "[!WARNING]" not in shown
    assert "<blockquote>\n<p>[!RUMOUR]" in shown
    assert shown.count("</div>") == 1
    assert shown.count("</blockquote>") == 1


def test_only_an_alert_has_a_class() -> None:
    assert '<div class="">' in rendered('<div class="label" style="position: fixed">x</div>')


def test_a_tables_columns_are_aligned_as_written() -> None:
    shown = rendered("| a | b | c |\n|:--|--:|---|\n| 1 | 2 | 3 |")

    assert '<th align="left">a</th>\n<th align="right">b</th>\n<th>c</th>' in shown
    assert '<td align="left">1</td>\n<td align="right">2</td>\n<td>3</td>' in shown
