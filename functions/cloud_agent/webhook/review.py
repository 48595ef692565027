"""A review of a session's pull request, with its comments on lines: one prompt for Claude, commands, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.webhook.comment import sessions_at, steer
from cloud_agent.webhook.decisions import Ignore
from cloud_agent.webhook.listening import listener
from cloud_agent.webhook.review_prompts import read_review

if TYPE_CHECKING:
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Review


def steer_by_review(settings: WebhookSettings, request: Review) -> dict[str, str]:
    """Read the whole review from GitHub, and act on it as on a comment.

    Guarantees that a review is one prompt, whichever of its events comes first. GitHub Docs, "Troubleshooting
    webhooks": "GitHub may deliver webhooks in a different order than the order in which the events took place."

    Raises:
        CloudAgentError: as `connect_for_all` and `Conversation` do.
    """
    origin = request.origin
    sessions = sessions_at(settings, origin)
    if sessions is None:
        return {"ignored": f"#{origin.number} has no session"}
    github = connect_for_all(settings, origin.repository, SHORT).conversation
    review = github.review(request.node_id)
    if review is None:
        return {"ignored": f"review {request.number} is gone"}
    reading = read_review(request, review, listener(settings, sessions.current, github, origin))
    return {"ignored": reading.reason} if isinstance(reading, Ignore) else steer(settings, reading)
