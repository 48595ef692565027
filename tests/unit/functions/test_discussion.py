"""What is quoted for Claude beside an issue: whose words, until when, and how much of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cloud_agent.domain.conversation.discussion import (
    DISCUSSION_LIMIT_BYTES,
    DiscussionComment,
    IssueContext,
    Mentioned,
    mentions_in,
    with_context,
)
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
PROMPT = Prompt(id="0", kind=PromptKind.ISSUE, title="t", body="b", author="zoe", url="u", created_at="c")


def _quoted(*comments: DiscussionComment) -> list[str]:
    prompt = with_context(PROMPT, IssueContext((), comments, ()), until=AT)
    return [remark.body for remark in prompt.discussion]


def _comment(body: str, *, association: str = "MEMBER", minutes: int = -1) -> DiscussionComment:
    return DiscussionComment("octo-dev", association, AT + timedelta(minutes=minutes), "https://github.example/1", body)


@pytest.mark.parametrize(
    ("association", "is_quoted"),
    [
        ("OWNER", True), ("MEMBER", True), ("COLLABORATOR", True), ("CONTRIBUTOR", False), ("NONE", False),
        ("FIRST_TIME_CONTRIBUTOR", False), ("FIRST_TIMER", False), ("MANNEQUIN", False),
    ],
)  # fmt: skip
def test_people_of_the_repository_are_quoted_and_nobody_else(association: str, is_quoted: bool) -> None:  # noqa: FBT001 - a parameter
    assert _quoted(_comment("words", association=association)) == ["words"] * is_quoted


def test_what_was_said_until_the_request_is_quoted_in_the_order_of_time() -> None:
    assert _quoted(_comment("at once", minutes=0), _comment("before", minutes=-2), _comment("later", minutes=1)) == [
        "before",
        "at once",
    ]


def test_this_systems_own_comments_are_not_quoted_though_a_person_may_have_posted_them() -> None:
    assert _quoted(_comment("<!-- claude-cloud-agent:status:1 -->\nRunning")) == []


def test_what_github_does_not_show_is_not_quoted() -> None:
    assert _quoted(_comment("Blue<!-- or red -->\u200b.")) == ["Blue."]


def test_of_a_long_discussion_the_newest_is_quoted() -> None:
    comments = [_comment(f"{number} " + "é" * 7_000, minutes=number - 20) for number in range(9)]
    quoted = _quoted(*comments)
    assert [body[0] for body in quoted] == ["7", "8"]
    assert sum(len(body.encode()) for body in quoted) <= DISCUSSION_LIMIT_BYTES


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("#1, (#2) and\n#3.", (1, 2, 3)), ("acme/other#4 abc#5 &#6; ##7 #08", ()), ("#12 of #12 and #42", (12,)),
        (" ".join(f"#{number}" for number in range(100, 120)), tuple(range(100, 110))),
    ],
)  # fmt: skip
def test_a_mention_is_a_number_that_github_would_link(text: str, mentioned: tuple[int, ...]) -> None:
    assert mentions_in(text, 42) == mentioned


def test_a_title_is_one_line_of_data() -> None:
    context = IssueContext(("u\u200bi",), (), (Mentioned(7, "Red\u202e", "MERGED"),))
    prompt = with_context(PROMPT, context, until=AT)
    assert (prompt.labels, prompt.mentioned) == (("ui",), ("#7 (merged): Red",))
