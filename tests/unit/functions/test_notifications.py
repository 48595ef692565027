"""What is told of a session away from GitHub, and the forms in which chats take it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.sessions import a_session

from cloud_agent.domain.conversation.chat_messages import slack_message, teams_message
from cloud_agent.domain.conversation.notifications import Notification, key_of, notification

URL = "https://09e22a8b.uat.example.com"
PULL = {"pull_number": 43, "pull_url": "https://github.com/acme/shop/pull/43"}
ISSUE = {"repo": "acme/shop", "issue_number": 42, "issue_url": "https://github.com/acme/shop/issues/42"}
HOSTILE = "<!channel> <@U0123> @here *b* [x](https://evil.example) & <https://evil.example|ours> {{DATE(2026)}}"


def told(key: str = "ready", **members: Any) -> Notification:  # noqa: ANN401 - any attribute of a row
    return notification(a_session(**{"session_id": "09e22a8b", **ISSUE, **PULL, **members}), key, URL)


@pytest.mark.parametrize(
    ("members", "key"),
    [
        ({"status": "QUEUED", "start_token": "t"}, None),
        ({"status": "STARTING"}, None),
        ({"status": "RUNNING"}, None),  # not announced yet
        ({"status": "RUNNING", "lifecycle_token": "t"}, "ready"),
        ({"status": "RUNNING", "lifecycle_token": "t", "latest_turn_id": "A"}, "waiting:A"),
        ({"status": "RUNNING", "lifecycle_token": "t", "latest_turn_id": "A", "question": "Why?"}, "question:A"),
        ({"status": "COMPLETED", "latest_turn_id": "A", "question": "Why?"}, "ended"),
        ({"status": "STOPPED"}, "ended"),
        ({"status": "FAILED", "latest_turn_id": "A"}, "failed"),
    ],
)
def test_the_latest_event_of_a_session_has_a_name_of_its_own(members: dict[str, Any], key: str | None) -> None:
    assert key_of(a_session(**members)) == key


def test_a_notification_has_what_a_subscriber_needs_and_others_words_on_one_line() -> None:
    row = {
        "issue_title": "Show\n the\u202e total " + "x" * 200,
        "requested_by": "octo-dev",
        "turns": 7,
        "cost_usd": 0.5,
    }
    message = json.loads(told("failed", status="FAILED", end_reason="The\ncontainer stopped", **row).model_dump_json())
    title = message["issue"].pop("title")
    assert (title[:15], len(title)) == ("Show the total ", 150)
    assert message == {
        "version": 1,
        "id": "09e22a8b:failed",
        "event": "failed",
        "session": "09e22a8b",
        "status": "FAILED",
        "repository": "acme/shop",
        "issue": {"number": 42, "url": ISSUE["issue_url"]},
        "pull_request": {"number": 43, "url": PULL["pull_url"]},
        "url": URL,
        "requested_by": "octo-dev",
        "turns": 7,
        "cost_usd": 0.5,
        "question": "",
        "reason": "The container stopped",
    }


def test_a_session_that_failed_before_its_pull_request_leads_to_the_issue() -> None:
    failed = told("failed", status="FAILED", pull_number=None, pull_url=None)
    assert failed.pull_request is None
    assert f"<{ISSUE['issue_url']}|acme/shop#42>" in slack_message(failed)["blocks"][0]["text"]["text"]
    assert teams_message(failed)["attachments"][0]["content"]["actions"][0]["url"] == ISSUE["issue_url"]


def test_slack_gets_a_link_and_a_text_for_its_notification() -> None:
    message = slack_message(told("waiting:A", issue_title="Show the total"))
    link, title = message["blocks"]
    assert message["text"] == "💬 Claude is waiting for you: acme/shop#43 Show the total"
    assert link["text"]["text"] == f"*💬 Claude is waiting for you*\n<{PULL['pull_url']}|acme/shop#43>"
    assert title["text"] == {"type": "plain_text", "text": "Show the total", "emoji": False}


def test_a_question_is_told_from_another_reply_and_says_what_is_asked() -> None:
    row = {"issue_title": "Show the total", "question": "Should it\ninclude shipping?", "latest_turn_id": "A"}
    asked = told("question:A", **row)
    assert (asked.id, asked.event, asked.question) == ("09e22a8b:question:A", "question", "Should it include shipping?")
    message = slack_message(asked)
    assert message["text"] == "❓ Claude asks: Should it include shipping? (acme/shop#43)"
    assert [block["text"]["text"] for block in message["blocks"]] == [
        f"*❓ Claude asks*\n<{PULL['pull_url']}|acme/shop#43>",
        "Should it include shipping?",
        "Show the total",
    ]
    (attachment,) = teams_message(asked)["attachments"]
    lines = [block["inlines"][0]["text"] for block in attachment["content"]["body"]]
    assert lines == ["❓ Claude asks", "acme/shop#43", "Should it include shipping?", "Show the total"]
    assert not told("ended", **row).question


@given(words=st.text(max_size=300) | st.just(HOSTILE), key=st.sampled_from(["ended", "question:A"]))
def test_nobodys_words_are_markup_or_a_mention_in_slack(words: str, key: str) -> None:
    message = slack_message(told(key, status="STOPPED", issue_title=words, end_reason=words, question=words))
    marked = [message["text"], *(b["text"]["text"] for b in message["blocks"] if b["text"]["type"] == "mrkdwn")]
    assert re.findall(r"<[^>]*>", "".join(marked)) == [f"<{PULL['pull_url']}|acme/shop#43>"]
    assert not re.search(r"&(?!amp;|lt;|gt;)", "".join(marked))


def test_an_address_cannot_leave_its_link_in_slack() -> None:
    message = slack_message(told(pull_url="https://ghes.example/x|y><!channel>"))
    assert "<https://ghes.example/x%7Cy&gt;&lt;!channel&gt;|acme/shop#43>" in message["blocks"][0]["text"]["text"]


@given(words=st.text(max_size=300) | st.just(HOSTILE), key=st.sampled_from(["ended", "question:A"]))
def test_nobodys_words_are_markup_in_teams(words: str, key: str) -> None:
    message = teams_message(told(key, status="STOPPED", issue_title=words, end_reason=words, question=words))
    (attachment,) = message["attachments"]
    card = attachment["content"]
    assert (message["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}  # no TextBlock, which takes Markdown
    runs = [run for block in card["body"] for run in block["inlines"]]
    assert {run["type"] for run in runs} == {"TextRun"}
    assert not any("{{" in run["text"] for run in runs)
