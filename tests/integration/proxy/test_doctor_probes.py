"""The doctor's visit, through a real proxy: it is told how a session is, and leaves no trace of a visit."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.proxy.conftest import DOMAIN
from tests.integration.proxy.visitor import GATED, OTHER_KEY, entry_token

from cloud_agent_doctor.probe import SessionProbe, probe_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, SessionsTable, StartProxy, StartUpstream, Text

_getaddrinfo = socket.getaddrinfo


@pytest.fixture(scope="module")
def gated(start_proxy: StartProxy) -> Iterator[Proxy]:
    with start_proxy(**GATED) as running:
        yield running


@contextlib.contextmanager
def names_lead_to(proxy: Proxy) -> Iterator[None]:
    """DNS, until the block is left: every name under the UAT domain is the proxy."""

    def resolve(host: str, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as the function it stands for
        return _getaddrinfo(proxy.address if host.endswith(DOMAIN) else host, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve)
        yield


async def visited(proxy: Proxy, session_id: str, token: str = "") -> SessionProbe:
    url = f"http://{session_id}.{DOMAIN}:8080"
    link = f"{url}/.uat/enter?token={token}" if token else ""
    with names_lead_to(proxy):
        return await asyncio.to_thread(probe_session, url, link)


def told(seen: SessionProbe, *names: str) -> list[object]:
    assert seen.document is not None, seen
    return [seen.document[name] for name in names]


async def test_a_session_whose_dev_server_answers_is_live_and_was_not_visited(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text, haproxy_command: HaproxyCommand
) -> None:
    upstream = await start_upstream(text("the dev server"))
    session_id = table.put(ip=upstream.address, port=3000)
    seen = await visited(proxy, session_id)
    assert told(seen, "live", "error") == [True, None]
    assert [request.partition(b" ")[0] for request in upstream.requests] == [b"OPTIONS"]  # the proxy's own try
    assert session_id not in await haproxy_command(proxy, "show table visits")
    assert table.last_visited_at(session_id) is None


async def test_a_dev_server_that_does_not_listen_is_reported_by_the_hop(
    proxy: Proxy, table: SessionsTable, unused_address: str
) -> None:
    seen = await visited(proxy, table.put(ip=unused_address, port=3000))
    live, hop = told(seen, "live", "hop")
    assert not live
    assert "isn't listening" in str(hop)


async def test_the_link_opens_what_is_closed_to_others(
    gated: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("the dev server"))
    session_id = table.put(ip=upstream.address, port=3000)
    assert told(await visited(gated, session_id, entry_token(session_id)), "live") == [True]
    assert told(await visited(gated, session_id), "error") == ["signed_out"]
    assert told(await visited(gated, session_id, entry_token(session_id, OTHER_KEY)), "error") == ["link_expired"]


async def test_a_session_that_the_proxy_does_not_know_is_reported(proxy: Proxy) -> None:
    assert told(await visited(proxy, "00000000"), "error", "live") == ["session_unknown", False]
