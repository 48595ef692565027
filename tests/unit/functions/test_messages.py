"""What the system writes on GitHub: within GitHub's limits, and untrusted words stay words."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.kit.sessions import a_session

from cloud_agent.domain.conversation.closing_keywords import closed_by
from cloud_agent.domain.conversation.messages import (
    BODY_LIMIT,
    TITLE_LIMIT,
    code,
    commit_message,
    fenced,
    marker,
    plain,
    prose,
    restart_by_comment,
    restart_by_label,
    sentence,
    session_failure,
    with_settings_file,
)
from cloud_agent.domain.conversation.pull_request_title import pull_request_title
from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX, without_invisible
from cloud_agent.domain.policy.failures import Failure, explain

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=200)
HARD_TITLE = "**bold** \"quotes\" 'single' `code` <b>\n# 😀 [link](x) @octo-dev #1 | ~~x~~ <!-- -->"
FILES, FILE = "https://github.com/acme/issues/blob", ".github/claude-cloud-agent.yml"
EXECUTION = "https://console.example/execution"


def test_the_first_commit_names_the_issue() -> None:
    assert commit_message("42") == "chore: initialize Claude agent session for #42"
    assert commit_message("AGNTS-124") == "chore: initialize Claude agent session for AGNTS-124"


def test_a_title_with_everything_in_it_becomes_one_line() -> None:
    assert HARD_TITLE.replace("\n", " ") == pull_request_title(HARD_TITLE, "42")


@given(title=st.text(max_size=600))
@example(title="x" * TITLE_LIMIT)
@example(title="x" * (TITLE_LIMIT + 1))
@example(title=" \r\n\t")
@example(title="😀" * 70_000)
def test_every_title_is_one_that_github_takes(title: str) -> None:
    made = pull_request_title(title, "42")
    assert 1 <= len(made) <= TITLE_LIMIT
    assert len(made.splitlines()) == 1


@pytest.mark.parametrize(
    ("title", "made"),
    [
        ("Fixes #5: crash on start", "Fixes issue #5: crash on start"),
        ("Resolves octo/r#1", "Resolves issue octo/r#1"),
        ("Crash\u200b clo\u200bses\n#2", "Crash closes issue #2"),
        ("closes https://github.com/octo/r/issues/3", "closes issue https://github.com/octo/r/issues/3"),
        ("fixed: GH-4", "fixed: issue GH-4"),
        ("See #5", "See #5"),
    ],
)
def test_a_title_closes_no_issue_when_it_becomes_a_commit_s_subject(title: str, made: str) -> None:
    assert pull_request_title(title, "42") == made
    assert closed_by([f"Merge pull request #8 from o/claude/42\n\n{made}"], "octo/r", 42) == ()


def test_an_empty_title_names_the_issue() -> None:
    assert pull_request_title(" \n", "AGNTS-124") == "Claude: issue AGNTS-124"


@given(text=WORDS)
@example(text=HARD_TITLE)
@example(text="1. one")
@example(text="- one")
@example(text="+ one")
@example(text="---")
@example(text="&lt;b&gt; &amp;")
@example(text="a\n===")
def test_plain_words_are_shown_as_they_are_and_nothing_else(text: str) -> None:
    tokens = MARKDOWN.parse(plain(text))
    line = " ".join(without_invisible(text).split())
    if not line:
        assert tokens == []
        return
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert line == "".join(child.content for child in children).replace("\u2060", "")


@pytest.mark.parametrize("text", ["@octo-dev", "cc @acme/team", "see #42", "acme/shop#42", "(@octo-dev)"])
def test_plain_words_mention_nobody_once_github_has_rendered_them(text: str) -> None:
    shown = "".join(child.content for child in MARKDOWN.parse(plain(text))[1].children or [])
    assert not re.search(r"[@#]\w", shown)


@pytest.mark.parametrize(
    ("text", "expected"), [("done", "done."), ("done.", "done."), ("why?", "why?"), (" stop! ", "stop!")]
)
def test_a_sentence_ends_once(text: str, expected: str) -> None:
    assert expected == sentence(text)


@given(text=st.text(st.sampled_from("`~ \n\r\tab<>/"), max_size=400))
@example(text="```\n</details>\n# out")
@example(text="~~~\n````\nx")
@example(text="`" * 8_001)
@example(text="x\n" * 40_000)
def test_no_text_closes_its_own_fence(text: str) -> None:
    tokens = MARKDOWN.parse(f"{fenced(text)}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


def test_of_a_long_text_the_end_is_kept() -> None:
    block = fenced("first line\n" + "x" * 10_000 + "\nlast line", limit=100)
    assert "first line" not in block
    assert block.endswith("\nlast line\n```")
    assert block[:10] == "```text\n…\n"


def test_a_failure_says_what_happened_what_to_do_and_where_to_look() -> None:
    failure = explain("Run Agent", "RepositoryEmptyError", "acme/shop has no branch main.")
    comment = session_failure("09e22a8b", failure, EXECUTION, restart_by_label())
    assert comment.startswith(marker("failure", "09e22a8b"))
    assert "\nThe repository is empty.\n" in comment
    assert "**What to do:** Push a first commit to the default branch. Then remove and re-add the label" in comment
    assert "acme/shop has no branch main." in comment
    assert f"({EXECUTION})" in comment


@pytest.mark.parametrize(
    ("text", "shown"), [("claude/42", "`claude/42`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("<b>", "`<b>`")]
)
def test_code_is_shown_as_it_is(text: str, shown: str) -> None:
    assert shown == code(text)
    (child,) = MARKDOWN.parse(code(text))[1].children or []
    assert ("code_inline", text) == (child.type, child.content)


def test_a_failure_without_evidence_has_no_details() -> None:
    assert "<details>" not in session_failure("09e22a8b", Failure("XError", "what", "advice", ""), EXECUTION, "")


@given(cause=st.text(max_size=100))
@example(cause="`" * 32_768)
@example(cause="😀" * 32_768)
@example(cause=f"{OWN_PREFIX}failure:09e22a8b -->")
@example(cause="</details>\n```\n@everyone" * 1_000)
def test_every_failure_fits_into_a_comment(cause: str) -> None:
    failure = explain("Run Agent", "GitError", cause)
    comment = session_failure("09e22a8b", failure, EXECUTION, restart_by_comment())
    assert comment.count(OWN_PREFIX) == 1
    assert len(comment) <= BODY_LIMIT
    html = MARKDOWN.render(comment)
    assert html.count("</details>") == int(bool(cause))


def test_what_people_have_to_fix_is_not_folded_away() -> None:
    failure = explain("Run Agent", "RepositoryConfigError", "line 3")
    comment = session_failure("09e22a8b", failure, EXECUTION, restart_by_comment())
    assert "```text\nline 3\n```" in comment
    assert "<details>" not in comment


@pytest.mark.parametrize(
    ("error", "default", "advice"),
    [
        (
            "RepositoryConfigError",
            "main",
            f"Fix [the file on `claude/#4`]({FILES}/claude/%234/{FILE}), or have a correct one on `main`",
        ),
        ("DefaultBranchConfigError", "main", f"Fix [the file on `main`]({FILES}/main/{FILE})"),
        ("DefaultBranchConfigError", "", f"Fix [the file on the default branch]({FILES}/HEAD/{FILE})"),
        ("GitError", "main", None),
    ],
)
def test_settings_are_fixed_in_the_file_that_is_linked(error: str, default: str, advice: str | None) -> None:
    failure = explain("Run Agent", error, "line 3")
    session = a_session(
        branch="claude/#4", default_branch=default, issue_url="https://github.com/acme/issues/issues/42"
    )
    assert with_settings_file(failure, session).advice == (advice or failure.advice)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("`npm ci` ended with status 1", "`npm ci` ended with status 1"),
        ("run `a_b` and `c`", "run `a_b` and `c`"),
        ("*no* `markup` @octocat", "\\*no\\* `markup` \\@\u2060octocat"),
        ("a ` alone", "a \\` alone"),
        ("``", ""),
        ("two\nlines of `co\nde`", "two lines of `co de`"),
    ],
)
def test_code_in_prose_stays_code_and_all_else_is_literal(text: str, markdown: str) -> None:
    assert markdown == prose(text)
