"""Deliveries that were lost on the way are asked for once more, from a small GitHub on a real socket."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from tests.kit.app_key import app_key, app_key_pem
from tests.kit.http_server import Response, serve_http

from cloud_agent.adapters.aws.secrets import GitHubCredentials
from cloud_agent.adapters.github.deliveries import WebhookDeliveries
from cloud_agent.domain.errors import ConfigurationError, GitHubRequestError, GitHubUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.kit.http_server import Request
    from tests.unit.functions.reconciler.conftest import Fleet

    Reconcile = Callable[..., dict[str, int]]

PAGE = 3


@dataclass
class GitHub:
    """The App's deliveries, newest first, three a page; `status` breaks every request."""

    url: str = ""
    status: int = 0
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    listed: int = 0

    def add(self, minutes_ago: float, status_code: int = 503, guid: str = "a", *, redelivery: bool = False) -> None:
        self.deliveries.append(
            {
                "id": len(self.deliveries),
                "guid": guid,
                "delivered_at": (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat().replace("+00:00", "Z"),
                "redelivery": redelivery,
                "duration": 0.1,
                "status": "OK" if status_code == 202 else "Invalid HTTP Response",
                "status_code": status_code,
                "event": "issues",
            }
        )
        self.deliveries.sort(key=lambda one: str(one["delivered_at"]), reverse=True)

    def respond(self, request: Request) -> Response:
        bearer = request.headers["Authorization"].removeprefix("Bearer ")
        jwt.decode(bearer, app_key().public_key(), algorithms=["RS256"])
        if request.method == "GET":
            return self.page(request)
        *_, delivery_id, attempts = request.path.split("/")
        assert attempts == "attempts"
        self.repeated.append(int(delivery_id))
        return Response.of({}, self.status or 202)

    def page(self, request: Request) -> Response:
        self.listed += 1
        cursor = int(request.path.partition("cursor=")[2] or 0)
        following = cursor + PAGE
        link = {"Link": f'<{self.url}/app/hook/deliveries?per_page=100&cursor={following}>; rel="next"'}
        more = link if following < len(self.deliveries) else {}
        return Response.of(self.deliveries[cursor:following], self.status or 200, more)


@pytest.fixture
def github() -> Iterator[GitHub]:
    github = GitHub()
    with serve_http(github.respond) as server:
        github.url = server.url
        yield github


@pytest.fixture
def app(github: GitHub, environment: Callable[..., None], put_secret: Callable[..., str]) -> GitHub:
    """GitHub, with the deployment's credentials those of an App."""
    credentials = json.dumps({"app_id": "527117", "private_key": app_key_pem()})
    environment(GITHUB_API_URL=github.url, GITHUB_SECRET_ARN=put_secret(credentials, "app"))
    return github


@pytest.fixture
def deliveries(github: GitHub) -> WebhookDeliveries:
    return WebhookDeliveries(github.url, GitHubCredentials(app_id="527117", private_key=app_key_pem()))


def test_a_lost_delivery_is_asked_for_once_more(reconcile: Reconcile, app: GitHub) -> None:
    app.add(5)
    assert reconcile() == {"DeliveryRepeated": 1}
    assert app.repeated == [0]
    app.add(0, redelivery=True)
    assert reconcile() == {}


def test_what_arrived_is_left_alone(reconcile: Reconcile, app: GitHub) -> None:
    app.add(5, 202)
    app.add(9, 503, "b")
    app.add(7, 202, "b", redelivery=True)
    app.add(8, 400, "c")
    assert reconcile() == {}
    assert app.repeated == []


def test_the_oldest_come_first_and_only_so_many_at_once(reconcile: Reconcile, app: GitHub) -> None:
    for number in range(25):
        app.add(100 - number, guid=f"{number}")
    assert reconcile() == {"DeliveryRepeated": 20}
    assert list(range(20)) == app.repeated


def test_nothing_is_asked_of_github_with_a_personal_token(
    reconcile: Reconcile, github: GitHub, environment: Callable[..., None]
) -> None:
    environment(GITHUB_API_URL=github.url)
    github.add(5)
    assert reconcile() == {}
    assert github.listed == 0


def test_a_github_that_is_down_stops_nothing_else(reconcile: Reconcile, app: GitHub, fleet: Fleet) -> None:
    app.status = 502
    fleet.put("09e22a8b", "QUEUED", start_token="wait-for-slot")
    assert reconcile() == {"RepairFailed": 1, "SlotGiven": 1}


def test_one_delivery_that_github_does_not_repeat_stops_none_of_the_others(
    reconcile: Reconcile, app: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.add(5, guid="a")
    app.add(4, guid="b")
    repeat = WebhookDeliveries.repeat

    def refuse_the_first(self: WebhookDeliveries, delivery: Any) -> None:  # noqa: ANN401 - a delivery
        if delivery.guid == "a":
            raise GitHubRequestError("GitHub answered 422")
        repeat(self, delivery)

    monkeypatch.setattr(WebhookDeliveries, "repeat", refuse_the_first)
    assert reconcile() == {"RepairFailed": 1, "DeliveryRepeated": 1}


def test_pages_are_read_until_they_are_too_old(github: GitHub, deliveries: WebhookDeliveries) -> None:
    for minutes in range(20):
        github.add(minutes, guid=f"{minutes}")
    found = deliveries.since(datetime.now(UTC) - timedelta(minutes=6.5))
    assert [f"{minutes}" for minutes in range(7)] == [delivery.guid for delivery in found]
    assert github.listed == 3


def test_no_more_than_ten_pages_are_read(github: GitHub, deliveries: WebhookDeliveries) -> None:
    for minutes in range(50):
        github.add(minutes, guid=f"{minutes}")
    assert len(deliveries.since(datetime.now(UTC) - timedelta(hours=3))) == 30
    assert github.listed == 10


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, ConfigurationError), (404, GitHubRequestError), (201, GitHubRequestError), (503, GitHubUnavailableError)],
)
def test_each_refusal_has_its_name(
    github: GitHub, deliveries: WebhookDeliveries, status: int, expected: type[Exception]
) -> None:
    github.status = status
    with pytest.raises(expected, match=str(status)):
        deliveries.since(datetime.now(UTC))


def test_a_list_that_is_none_is_githubs_fault(
    github: GitHub, deliveries: WebhookDeliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github, "page", lambda _request: Response.of({"message": "no list"}))
    with pytest.raises(GitHubUnavailableError, match="not as documented"):
        deliveries.since(datetime.now(UTC))
