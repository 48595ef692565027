"""SNS: the topic that sessions' events are published to, for whoever subscribes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cloud_agent.adapters.aws import clients
from cloud_agent.domain.conversation.notifications import NotificationFailedError

if TYPE_CHECKING:
    from cloud_agent.domain.conversation.notifications import Notification


class NotificationsTopic:
    """Sends each notification as JSON, with attributes that subscriptions can filter by."""

    def __init__(self, topic_arn: str) -> None:
        self._arn = topic_arn
        self._client = clients.sns()

    def send(self, notification: Notification) -> None:
        """Publish a notification.

        Raises:
            NotificationFailedError: SNS didn't take it, however often it was tried.
        """
        attributes = {"event": notification.event.value, "repository": notification.repository}
        try:
            self._client.publish(
                TopicArn=self._arn,
                Message=notification.model_dump_json(),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (BotoCoreError, ClientError) as error:
            raise NotificationFailedError(f"SNS didn't take the notification: {error}") from error
