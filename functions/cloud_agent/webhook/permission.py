"""Who may start, steer and end sessions, asked at the time of each act."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.settings import WebhookSettings


def may_act(settings: WebhookSettings, github: Conversation, login: str) -> bool:
    """Whether this account may write to the repository now, or is a bot that the deployment allows by name."""
    return login in settings.bots or github.has_write_permission(login)
