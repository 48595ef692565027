"""What Claude takes up on a pull request of this deployment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cloud_agent.adapters.github.app_name import app_name
from cloud_agent.domain.conversation.addressing import Listener

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Origin


def listener(settings: WebhookSettings, github: Conversation, origin: Origin) -> Listener:
    """Return the listener, which asks GitHub only where a text mentions somebody."""
    return Listener(
        owner=origin.repo.partition("/")[0],
        app_name=partial(app_name, settings.github_api_url, settings.github_secret_arn),
        may_write=github.has_write_permission,
    )
