"""A real local GitHub, and the sign-in as a proxy task has it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.github.visitors import new_reader, new_repository
from tests.integration.proxy.sign_in.visitors import CALLBACK, DOMAIN, KEY, SESSION, Browser, Proxy

from cloud_agent_proxy.sessions_table import TableUnavailableError
from cloud_agent_proxy.sign_in.github import ClientCredentials, GitHub
from cloud_agent_proxy.sign_in.github_sign_in import GitHubSignIn
from local_github.testing import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    import httpx


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("github"), callback_url=CALLBACK) as running:
        yield running


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """REST as the administrator, with no fault left behind."""
    with server.client(server.credentials["token"]) as client:
        yield client
        client.delete("/admin/faults").raise_for_status()


@pytest.fixture
def repository(api: httpx.Client) -> str:
    """A private repository."""
    return new_repository(api)


@pytest.fixture
def reader(api: httpx.Client, repository: str) -> str:
    """A person who may read it."""
    return new_reader(api, repository)


@pytest.fixture
async def proxy_with(server: Server, repository: str) -> AsyncIterator[Callable[..., Proxy]]:
    """Make proxies of the same installation, with keys, clock or GitHub of their own."""
    githubs = []

    def make(
        *keys: str,
        hours: float = 0,
        table_is_away: bool = False,
        url: str = server.url,
        client_secret: str = server.credentials["client_secret"],
    ) -> Proxy:
        """A proxy whose clock is `hours` ahead."""

        async def repository_of(session_id: str) -> str | None:
            if table_is_away:
                raise TableUnavailableError("the table is away")
            return repository if session_id == SESSION else None

        client = {"client_id": server.credentials["client_id"], "client_secret": client_secret}
        github = GitHub(url, f"{url}/api/v3", ClientCredentials.model_validate(client))
        githubs.append(github)
        clock = lambda: time.time() + hours * 3600  # noqa: E731 - shorter than a function
        return Proxy(GitHubSignIn(github, DOMAIN, keys or (KEY,), repository_of, clock))

    yield make
    for github in githubs:
        await github.aclose()


@pytest.fixture
def proxy(proxy_with: Callable[..., Proxy]) -> Proxy:
    return proxy_with()


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server)
