"""The GitHub App's list of webhook deliveries: what was sent, how it went, and sending it once more."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from cloud_agent.adapters.github.errors import of_app
from cloud_agent.adapters.github.installation_tokens import app_token
from cloud_agent.adapters.github.requests import GitHubRequests, Response
from cloud_agent.domain.policy.redelivery import Delivery
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cloud_agent.adapters.aws.secrets import GitHubCredentials

_PAGES = 10  # of 100 deliveries each


class WebhookDeliveries:
    """The deliveries of one App. A personal token has none: its webhooks belong to the repositories."""

    def __init__(self, api_url: str, credentials: GitHubCredentials) -> None:
        self._requests = GitHubRequests(api_url)
        self._credentials = credentials

    def since(self, moment: datetime) -> list[Delivery]:
        """Every attempt since then, at most the newest 1,000.

        Raises:
            ConfigurationError: GitHub does not accept the App's id and key.
            GitHubRequestError: it refuses the list for another reason.
            GitHubUnavailableError, GitHubRateLimitedError: worth a retry.
        """
        return [delivery for delivery in self._newest_first(moment) if delivery.delivered_at >= moment]

    def repeat(self, delivery: Delivery) -> None:
        """Have GitHub send it once more, under the id that the webhook knows it by.

        Raises:
            ConfigurationError, GitHubRequestError, GitHubUnavailableError, GitHubRateLimitedError: as `since`.
        """
        self._send("POST", f"/app/hook/deliveries/{delivery.id}/attempts", HTTPStatus.ACCEPTED)

    def _newest_first(self, moment: datetime) -> Iterator[Delivery]:
        path: str | None = "/app/hook/deliveries?per_page=100"
        for _ in range(_PAGES):
            if path is None:
                return
            response = self._send("GET", path, HTTPStatus.OK)
            page = response.read(list[Delivery])
            yield from page
            path = response.next_page if page and page[-1].delivered_at >= moment else None
        if path is not None:
            logger.warning("more deliveries than are looked at", extra={"pages": _PAGES})

    def _send(self, method: str, path: str, expected: HTTPStatus) -> Response:
        response = self._requests.send(method, path, app_token(self._credentials))
        if response.status != expected:
            raise of_app(response)
        return response
