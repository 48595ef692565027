"""What's told of a session away from GitHub: to the notifications topic, and to a chat where one is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.aws.notifications_topic import NotificationsTopic
from cloud_agent.adapters.aws.secrets import read_chat_webhooks
from cloud_agent.adapters.chat.webhook import ChatWebhook, chat_webhooks
from cloud_agent.domain.conversation.notifications import NotificationFailedError, key_of, notification
from cloud_agent.domain.errors import ConfigurationError
from cloud_agent.domain.session.session import session_url
from cloud_agent.observability import logger, metrics

if TYPE_CHECKING:
    from cloud_agent.domain.conversation.notifications import Notification
    from cloud_agent.publisher.context import PublishingContext
    from cloud_agent.settings import PublisherSettings


def notify(context: PublishingContext, settings: PublisherSettings, session_id: str) -> None:
    """Guarantee that the session's latest event has been sent everywhere, or that the log says where it wasn't.

    Once for each event, however often this is called; twice if the function dies between sending and noting it, with
    the same id. Who doesn't take it after some tries isn't waited for: the next news are more worth than these.
    """
    session = context.sessions.get(session_id)
    key = key_of(session)
    if key is None or key in context.publications.of(session_id).notified:
        return
    if session.status.is_live and session.latest_turn_id and context.prompts.unanswered(session_id):
        return  # Claude goes on with the next comment
    _send(notification(session, key, session_url(settings.uat_url, session_id)), settings)
    context.publications.record_notified(session_id, key)


def _send(message: Notification, settings: PublisherSettings) -> None:
    channels: list[NotificationsTopic | ChatWebhook] = [NotificationsTopic(settings.notifications_topic_arn)]
    try:
        channels += chat_webhooks(read_chat_webhooks(settings.chat_webhooks_arn))
    except ConfigurationError as error:
        _note_failure(message, error)
    for channel in channels:
        try:
            channel.send(message)
        except NotificationFailedError as error:
            _note_failure(message, error)
        else:
            logger.info("notification sent", extra={"id": message.id, "channel": type(channel).__name__})


def _note_failure(message: Notification, error: Exception) -> None:
    logger.warning("notification not sent", extra={"id": message.id, "cause": str(error)})
    metrics.add_metric("NotificationFailed", MetricUnit.Count, 1)
