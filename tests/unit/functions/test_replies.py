"""What people are told in reply: ours by its first line, short enough, and with nobody else's markup in it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.kit.sessions import a_session

from cloud_agent.domain.conversation import replies
from cloud_agent.domain.conversation.messages import BODY_LIMIT
from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX
from cloud_agent.domain.session.comment_trigger import CommentTrigger

HOSTILE = "@octo-dev #1 <!-- <img> ``` [x](http://x) |\n# heading " + "*" * 32_000


@pytest.mark.parametrize(
    "attributes",
    [
        {"activity": HOSTILE},
        {"ending": {"status": "STOPPED", "reason": HOSTILE}},
        {"status": "FAILED", "end_reason": HOSTILE},
    ],
)
def test_what_others_wrote_stays_text_and_short(attributes: dict[str, Any]) -> None:
    session = a_session(**attributes)
    said = replies.reply(
        "acme/storefront#issue_comment-1",
        replies.status(session, 1, next_is_starting=False),
        replies.ended(session),
        replies.help_text(CommentTrigger.ALL),
        replies.help_text(CommentTrigger.MENTIONS),
    )
    assert len(said) < 6_000 < BODY_LIMIT
    written = said.partition("\n")[2]
    for markup in ("@octo", "#1", "<!--", "<img", "```", "](http", "\n# heading"):
        assert not re.search(r"(?<!\\)" + re.escape(markup), written)


def test_every_reply_is_known_as_our_own() -> None:
    identity = "acme/storefront#pull_request_review-7"
    said = replies.reply(identity, "Hello.")
    assert said.startswith(OWN_PREFIX)
    assert f"{replies.reply_marker(identity)}\n\nHello.\n" == said
    assert replies.reply_marker(identity) == "<!-- claude-cloud-agent:reply:pull_request_review-7 -->"


def test_a_login_and_a_label_are_text() -> None:
    said = replies.label_refused("a_b*", "`<x>`")
    assert "a\\_b\\*" in said
    assert "`` `<x>` ``" in said
    assert "a\\_b\\*" in replies.comment_refused("a_b*")


def test_a_session_that_starts_says_so() -> None:
    session = a_session(activity="Edit a.ts")
    assert "The next session is starting." in replies.status(session, 0, next_is_starting=True)


@pytest.mark.parametrize(
    ("activity", "words"), [("turn_started", "thinking"), ("turn_failed", "waiting"), ("Edit a.ts", "Edit a.ts")]
)
def test_the_activity_is_said_in_words(activity: str, words: str) -> None:
    session = a_session(activity=activity)
    assert f"Now: {words}" in replies.status(session, 0, next_is_starting=False)
