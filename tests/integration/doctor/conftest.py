"""The real local GitHub, and a stack whose secret has that GitHub's App."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from emulators.github.tests.integration.conftest import Receiver
from emulators.github.tests.integration.server import Server
from tests.unit.functions.doctor.inside_account import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx


@pytest.fixture(scope="session")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("github")) as running:
        yield running


@pytest.fixture
def app(github: Server) -> Iterator[httpx.Client]:
    """GitHub's API in the App's name."""
    with github.client(github.app_jwt()) as client:
        yield client


@pytest.fixture
def person(github: Server) -> Iterator[httpx.Client]:
    """GitHub's API as the person who administers the organization."""
    with github.client(github.credentials["token"]) as client:
        yield client


@pytest.fixture
def account(github: Server) -> Account:
    """A stack with the App's id and key; `put` changes its secret."""
    credentials = github.credentials
    account = Account(GitHubApiUrl=github.api_url)
    put(account, {"app_id": str(credentials["app_id"]), "private_key": credentials["private_key_pem"]})
    return account


def put(account: Account, secret: object) -> None:
    """Store the value of GitHubSecret."""
    account.set("secretsmanager", "GetSecretValue", {"SecretString": json.dumps(secret)})


@pytest.fixture
def new_receiver() -> Iterator[Callable[[], Receiver]]:
    """Endpoints of webhooks that answer as they are told."""
    running: list[tuple[Receiver, threading.Thread]] = []

    def start() -> Receiver:
        receiver = Receiver()
        thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running.append((receiver, thread))
        return receiver

    yield start
    for receiver, thread in running:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()
