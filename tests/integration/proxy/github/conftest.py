"""A real local GitHub, and a real proxy that shows sessions to those whom it lets read their repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.github.visitors import (
    CALLBACK,
    Visitor,
    forget_faults,
    mode,
    new_person,
    new_reader,
    new_repository,
)

from local_github.testing import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy, StartUpstream, Text, Upstream


@pytest.fixture(scope="session")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("github"), callback_url=CALLBACK) as running:
        yield running


@pytest.fixture(scope="session")
def gated(start_proxy: StartProxy, github: Server) -> Iterator[Proxy]:
    with start_proxy(**mode(github)) as running:
        yield running


@pytest.fixture
def api(github: Server) -> Iterator[httpx.Client]:
    """REST as the administrator, with no fault left behind."""
    with github.client(github.credentials["token"]) as client:
        yield client
        forget_faults(client)


@pytest.fixture
def repository(api: httpx.Client) -> str:
    """A private repository."""
    return new_repository(api)


@pytest.fixture
def stranger(api: httpx.Client) -> str:
    return new_person(api)


@pytest.fixture
def reader(api: httpx.Client, repository: str) -> str:
    """A person who may read the repository."""
    return new_reader(api, repository)


@pytest.fixture
async def upstream(start_upstream: StartUpstream, text: Text) -> Upstream:
    return await start_upstream(text("the dev server", "Set-Cookie: own=1; Path=/"))


@pytest.fixture
def session_id(upstream: Upstream, table: SessionsTable, repository: str) -> str:
    return table.put(ip=upstream.address, port=3000, repo=repository)


@pytest.fixture
def visitor(github: Server, gated: Proxy, reader: str) -> Visitor:
    return Visitor(github, gated, reader)


@pytest.fixture
async def signed_in(visitor: Visitor, session_id: str) -> Visitor:
    assert (await visitor.signs_in(session_id)).status_code == 303
    return visitor
