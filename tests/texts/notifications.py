"""What chats are told of sessions."""

from __future__ import annotations

import json
from typing import Any

from tests.kit.sessions import a_session

from cloud_agent.domain.conversation.chat_messages import slack_message, teams_message
from cloud_agent.domain.conversation.notifications import notification

_URL = "https://09e22a8b.uat.example.com"
_ROW: dict[str, Any] = {
    "session_id": "09e22a8b",
    "repo": "acme/shop",
    "issue_number": 42,
    "issue_title": "Show the cart's total",
    "issue_url": "https://github.com/acme/shop/issues/42",
    "pull_number": 43,
    "pull_url": "https://github.com/acme/shop/pull/43",
    "requested_by": "octo-dev",
    "turns": 7,
    "cost_usd": 0.42,
}


def notifications() -> dict[str, str]:
    """Return each event as the topic's subscribers and the chats get it."""
    events: dict[str, dict[str, Any]] = {
        "ready": {},
        "waiting:01K0M1Z0000000000000000001": {},
        "question:01K0M1Z0000000000000000001": {"question": "Should the total include the shipping?"},
        "failed": {"status": "FAILED", "end_reason": "The container stopped: out of memory"},
        "ended": {"status": "COMPLETED", "end_reason": "The pull request was merged."},
    }
    return {key.partition(":")[0].capitalize(): _forms(key, row) for key, row in events.items()}


def _forms(key: str, row: dict[str, Any]) -> str:
    told = notification(a_session(**_ROW | row), key, _URL)
    slack, (card,) = slack_message(told), teams_message(told)["attachments"]
    teams = [block["inlines"][0]["text"] for block in card["content"]["body"]]
    parts = {
        "SNS": json.dumps(told.model_dump(mode="json"), indent=2),
        "Slack": "\n".join([slack["text"], "---", *(block["text"]["text"] for block in slack["blocks"])]),
        "Teams": "\n".join(teams),
    }
    return "\n\n".join(f"{name}:\n\n```text\n{text}\n```" for name, text in parts.items())
