"""The real local GitHub, and a stack whose secret has that GitHub's App."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from tests.unit.functions.doctor.inside_account import Account

from local_github.testing import Receiver, Server

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
    """Open endpoints of webhooks, each of which answers with its `status`."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Receiver())
