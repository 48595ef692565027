"""What the session's page makes of texts that anybody may have written."""

from __future__ import annotations

import pytest
from tests.kit.transcripts import Script

from cloud_agent_proxy.session_page.diffs import read_diff
from cloud_agent_proxy.session_page.events import read_events
from cloud_agent_proxy.session_page.markdown import markdown
from cloud_agent_proxy.session_page.times import clock, span_of
from cloud_agent_proxy.session_page.tools import ToolCall, describe_call


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** `code`", "<p><strong>bold</strong> <code>code</code></p>\n"),
        ("<b onclick=x>raw</b>", "<p>&lt;b onclick=x&gt;raw&lt;/b&gt;</p>\n"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"),
        ("# A heading", '<p class="heading"><strong>A heading</strong></p>\n'),
        ("```<b>\n<i>\n```", '<pre tabindex="0"><code>&lt;i&gt;\n</code></pre>\n'),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](/settings)", "<p>[a](/settings)</p>\n"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>\n"),
        (
            "[a](https://b.example/?a=1&b=2)",
            '<p><a href="https://b.example/?a=1&amp;b=2" rel="noreferrer nofollow" target="_blank">a</a></p>\n',
        ),
        (
            "![a](https://b.example/x.png)",
            '<p>!<a href="https://b.example/x.png" rel="noreferrer nofollow" target="_blank">a</a></p>\n',
        ),
    ],
)
def test_markdown_loads_nothing_and_runs_nothing(text: str, html: str) -> None:
    assert markdown(text) == html


@pytest.mark.parametrize("text", ["*" * 20_001, "[" * 20_001, "<b>" * 7_000])
def test_a_very_long_text_is_shown_as_it_is(text: str) -> None:
    assert markdown(text).startswith("<p class=plain>")
    assert "<b>" not in markdown(text)


def test_a_diff_has_the_numbers_of_its_lines() -> None:
    diff = read_diff(
        "--- a/x\n+++ b/x\n@@ -3,3 +3,3 @@ def f():\n same\n-old\n+new\n+++more\n\\ No newline at end of file\n"
    )
    assert [(line.kind, line.text, line.number) for line in diff.lines] == [
        ("hunk", "@@ -3,3 +3,3 @@ def f():", None),
        ("same", "same", 3),
        ("del", "old", 4),
        ("add", "new", 4),
        ("add", "++more", 5),
    ]
    assert (diff.additions, diff.deletions, diff.left_out) == (2, 1, 0)


def test_of_a_long_diff_the_beginning_is_shown_and_all_of_it_is_counted() -> None:
    diff = read_diff("@@ -0,0 +1,1000 @@\n" + "+x\n" * 1_000)
    assert (len(diff.lines), diff.additions, diff.left_out) == (400, 1_000, 601)


@pytest.mark.parametrize(
    ("tool", "given", "has_diff", "shown"),
    [
        ("Bash", {"command": "ls", "description": "d"}, False, ToolCall("Bash", "terminal", "ls", "")),
        ("Bash", {"command": "a\nb"}, False, ToolCall("Bash", "terminal", "a", "a\nb")),
        ("Edit", {"file_path": "x", "old_string": "a"}, True, ToolCall("Edit", "pencil", "x", "")),
        (
            "mcp__browser__open",
            {"url": "http://x", "n": 1},
            False,
            ToolCall("browser: open", "tool", "http://x", '{\n  "url": "http://x",\n  "n": 1\n}'),
        ),
        ("mcp__", {}, False, ToolCall("mcp__", "tool", "", "")),
    ],
)
def test_a_call_is_a_line(tool: str, given: dict[str, object], has_diff: bool, shown: ToolCall) -> None:  # noqa: FBT001 - a case
    script = Script()
    script.tool(tool, given, None)
    (event,) = read_events(script.batches()[0])
    assert describe_call(event, has_diff=has_diff) == shown


def test_times() -> None:
    assert span_of("2026-11-22T08:00:00.000Z", "2026-11-22T10:03:09.000Z") == "2h 3m"
    assert span_of("2026-11-22T08:00:00.000Z", "2026-11-22T08:03:09.000Z") == "3m 9s"
    assert span_of("2026-11-22T08:00:00.000Z", "sometime") == ""
    assert clock("2026-11-22T08:00:00.000Z") == "08:00"
    assert clock("99999") == ""
