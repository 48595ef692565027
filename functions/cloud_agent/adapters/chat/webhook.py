"""An incoming webhook of Slack or of Teams. Its URL is a credential: it's in no log and in no error."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from cloud_agent.domain.conversation.chat_messages import slack_message, teams_message
from cloud_agent.domain.conversation.notifications import NotificationFailedError
from cloud_agent.worker import once_per_worker

if TYPE_CHECKING:
    from cloud_agent.adapters.aws.secrets import ChatWebhooks
    from cloud_agent.domain.conversation.notifications import Notification

_TRIES = 2
_PAUSE_SECONDS = 1
_TIMEOUT = Timeout(connect=1, read=3)  # the next change of any session waits for it
_TOO_MANY = 429


class ChatWebhook:
    """One chat's webhook."""

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._url = url
        self._form = slack_message if name == "slack" else teams_message

    def send(self, notification: Notification) -> None:
        """Post a notification, and once more where the chat was at fault or away.

        Raises:
            NotificationFailedError: it wasn't taken.
        """
        message, reason = self._form(notification), ""
        for attempt in range(_TRIES):
            time.sleep(_PAUSE_SECONDS * attempt)
            reason, is_final = self._post(message)
            if not reason:
                return
            if is_final:
                break
        raise NotificationFailedError(f"The {self._name} webhook didn't take the notification: {reason}")

    def _post(self, message: dict[str, Any]) -> tuple[str, bool]:
        """Return why it failed, empty if it didn't, and whether trying again would change nothing."""
        try:
            response = _pool().request(
                "POST", self._url, body=json.dumps(message), headers={"Content-Type": "application/json"}
            )
        except HTTPError as error:
            return type(error).__name__, False
        if response.status < 300:  # noqa: PLR2004 - HTTP's own classes; Teams Workflows says 202
            return "", True
        return f"HTTP {response.status}", response.status < 500 and response.status != _TOO_MANY  # noqa: PLR2004 - as above


def chat_webhooks(configured: ChatWebhooks) -> list[ChatWebhook]:
    """Return those that are set up."""
    return [ChatWebhook(name, url) for name, url in configured if url]


@once_per_worker
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(timeout=_TIMEOUT, retries=Retry(0, redirect=False, raise_on_redirect=False))
