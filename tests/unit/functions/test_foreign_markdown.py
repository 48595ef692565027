"""Claude's words: Markdown that is shown, and that can do nothing else."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cloud_agent.domain.conversation.foreign_markdown import contained
from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX

# GitHub's own: HTML is let through, so that whatever gets by as HTML shows.
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
PIECES = st.lists(
    st.sampled_from(
        [
            *("```", "````", "~~~", "`", "\n", "\n\n", "\r", " ", "   ", "    ", "\t", "- ", "1. ", "> ", "[^1]: "),
            *("@octo-dev", "a@b.c", "&#64;octo-dev", "#12", "<!-- x -->", "<b>", "</details>", "<", "![i](u)"),
            *("$$", "|", "\\", "word", OWN_PREFIX, OWN_PREFIX.upper(), OWN_PREFIX.replace("cl", "c\u200bl")),
        ]
    ),
    max_size=30,
).map("".join)
AFTER = "after **all**"


def rendered(text: str) -> str:
    return str(MARKDOWN.render(f"<details><summary>s</summary>\n\n{contained(text, 4_000)}\n\n</details>\n\n{AFTER}"))


@given(text=PIECES)
@example(text="```\n@octo-dev\n```\n@octo-dev")
@example(text=" ```\ncode\n```\n@octo-dev\n```")
@example(text="- ```\n  code\n```\n@octo-dev")
@example(text="> ```\n```\n@octo-dev")
@example(text="```\n\t```\n```\n@octo-dev")
@example(text="```\n    ```\n@octo-dev\n```\n@octo-dev")
@example(text="````\n```\n````\n@octo-dev")
@example(text="```a`b\n@octo-dev")
@example(text="~~~ a`b\n@octo-dev\n~~~\n@octo-dev")
@example(text=f"```\n{OWN_PREFIX}\n```")
@example(text="x\n   ```\n</details>\n```\n<!-- y -->")
def test_nothing_in_them_is_markup_a_mention_or_an_end_of_what_is_around_them(text: str) -> None:
    assert OWN_PREFIX not in contained(text, 4_000)
    shown = rendered(text)
    assert shown.count("</details>") == 1
    assert shown.rstrip().endswith("<p>after <strong>all</strong></p>")
    assert "<!--" not in shown
    assert "<b>" not in shown
    assert "<img" not in shown
    prose = html.unescape(re.sub(r"<(code|pre)\b.*?</\1>", "", shown, flags=re.DOTALL))
    assert not re.search(r"@[A-Za-z0-9]|#\d", prose)


def test_markdown_stays_markdown_and_code_in_fences_stays_as_it_is() -> None:
    text = "## Done\n\n- **one**\n- `two`\n\n```python\n@app.get('/')\ndef f(a: List[str]) -> '<b>': ...\n```\n"
    shown = rendered(text)
    for part in ("<h2>Done</h2>", "<strong>one</strong>", "<code>two</code>", "@app.get('/')", "&lt;b&gt;"):
        assert part in shown
    assert "\u2060" not in shown


def test_a_fence_that_is_cut_off_is_closed() -> None:
    assert contained("```\n" + "a" * 100, 8) == "```\naaaa…\n```"


@pytest.mark.parametrize("text", ["&#64;octo-dev", "&#x40;octo-dev", "&commat;octo-dev", "@\\octo-dev", "\\@octo-dev"])
def test_no_spelling_of_a_mention_is_one(text: str) -> None:
    prose = html.unescape(MARKDOWN.render(contained(text, 100)))
    assert not re.search(r"@[A-Za-z]", prose)


def test_an_issue_is_not_referred_to() -> None:
    assert contained("fixes #1 and GH-2", 100) == "fixes #\u20601 and GH-\u20602"


@given(text=st.text(max_size=300))
def test_they_grow_to_twice_their_length_at_most(text: str) -> None:
    assert len(contained(text, 200)) <= 2 * 201 + 1 + 300
