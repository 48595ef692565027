"""What Claude takes up on a pull request of this deployment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cloud_agent.adapters.github.app_name import app_name
from cloud_agent.domain.conversation.addressing import Listener
from cloud_agent.domain.session.comment_trigger import CommentTrigger

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.domain.session.session import Session
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Origin


def listener(settings: WebhookSettings, session: Session, github: Conversation, origin: Origin) -> Listener:
    """Return the session's listener, which asks GitHub only where a text mentions somebody."""
    trigger = session.comment_trigger or settings.comment_trigger
    return Listener(
        owner=origin.repository.name.partition("/")[0],
        app_name=partial(app_name, settings.github_api_url, settings.github_secret_arn),
        may_write=github.has_write_permission,
        only_when_called=trigger is CommentTrigger.MENTIONS,
    )
