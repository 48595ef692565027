"""Deliveries that were lost on the way are asked for once more, from a small GitHub on a real socket."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cloud_agent.adapters.aws.secrets import GitHubCredentials
from cloud_agent.adapters.github.deliveries import WebhookDeliveries
from cloud_agent.domain.errors import ConfigurationError, GitHubRequestError, GitHubUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.functions.reconciler.conftest import Fleet

    Reconcile = Callable[..., dict[str, int]]

KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PAGE = 3


@dataclass
class GitHub:
    """The App's deliveries, newest first, three a page; `status` breaks every request."""

    url: str
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

    def page(self, path: str) -> tuple[int, dict[str, str], Any]:
        self.listed += 1
        cursor = int(path.partition("cursor=")[2] or 0)
        following = cursor + PAGE
        link = {"Link": f'<{self.url}/app/hook/deliveries?per_page=100&cursor={following}>; rel="next"'}
        return 200, link if following < len(self.deliveries) else {}, self.deliveries[cursor:following]


@pytest.fixture
def github() -> Iterator[GitHub]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(*answers.page(self.path))

        def do_POST(self) -> None:
            *_, delivery_id, attempts = self.path.split("/")
            assert attempts == "attempts"
            answers.repeated.append(int(delivery_id))
            self.reply(202, {}, {})

        def reply(self, status: int, headers: dict[str, str], document: Any) -> None:  # noqa: ANN401 - any JSON
            jwt.decode(self.headers["Authorization"].removeprefix("Bearer "), KEY.public_key(), algorithms=["RS256"])
            body = json.dumps(document).encode()
            self.send_response(answers.status or status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answers = GitHub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def app(github: GitHub, environment: Callable[..., None], put_secret: Callable[..., str]) -> GitHub:
    """GitHub, with the deployment's credentials those of an App."""
    credentials = json.dumps({"app_id": "527117", "private_key": PEM})
    environment(GITHUB_API_URL=github.url, GITHUB_SECRET_ARN=put_secret(credentials, "app"))
    return github


@pytest.fixture
def deliveries(github: GitHub) -> WebhookDeliveries:
    return WebhookDeliveries(github.url, GitHubCredentials(app_id="527117", private_key=PEM))


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
    app.add(8, 401, "c")
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
    monkeypatch.setattr(github, "page", lambda _path: (200, {}, {"message": "no list"}))
    with pytest.raises(GitHubUnavailableError, match="not as documented"):
        deliveries.since(datetime.now(UTC))
