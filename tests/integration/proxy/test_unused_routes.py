"""Withdrawing the routes that nobody uses, as HAProxy itself knows of use."""

from __future__ import annotations

import asyncio
import signal
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
import websockets
from tests.integration.proxy.conftest import new_address

from cloud_agent_proxy.routes import Routes
from cloud_agent_proxy.runtime_api import RuntimeApi
from cloud_agent_proxy.session import Address, HostHeader

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, StartProxy
    from websockets.asyncio.server import ServerConnection

ID, OTHER = "0f0f0f0a", "0f0f0f0b"  # in no table: only the map leads to them


@pytest.fixture
def routes(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Routes:
    """Routes of the running HAProxy, beside those of its own control plane."""
    (folder,) = proxy.folder.glob("uat-proxy-*")
    monkeypatch.chdir(folder)
    return Routes(RuntimeApi())


@pytest.mark.parametrize("name", HostHeader)
async def test_a_route_is_withdrawn_unless_a_websocket_is_open(
    name: HostHeader, proxy: Proxy, routes: Routes, unused_address: str, haproxy_command: HaproxyCommand
) -> None:
    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with websockets.serve(hold, unused_address, 3000):
        address = Address(IPv4Address(unused_address), 3000, name)
        await routes.assign(ID, address)
        await routes.assign(OTHER, Address(IPv4Address(new_address()), 3000))
        async with websockets.connect(f"ws://{ID}.uat.example.test:8080/", host=proxy.address, port=8080) as socket:
            assert {ID} == await routes.withdraw_unless_busy([ID, OTHER])
            entries = await haproxy_command(proxy, "show map sessions.map")
            assert f" {ID} {address.route}\n" in entries
            assert OTHER not in entries
            await asyncio.wait_for(await socket.ping(), 5)
        async with asyncio.timeout(5):
            while await routes.withdraw_unless_busy([ID]):  # noqa: ASYNC110 - HAProxy tells nobody by itself
                await asyncio.sleep(0.02)
    assert ID not in await haproxy_command(proxy, "show map sessions.map")
    assert len(routes) == 0


@pytest.mark.security
async def test_haproxy_survives_being_asked_for_its_streams_while_a_visitor_waits_for_a_look_up(
    start_proxy: StartProxy, monkeypatch: pytest.MonkeyPatch, haproxy_command: HaproxyCommand
) -> None:
    """A stop or move lists them; HAProxy 2.8 does not survive that while a Lua script has a plain socket open."""
    with start_proxy() as proxy:
        (folder,) = proxy.folder.glob("uat-proxy-*")
        monkeypatch.chdir(folder)
        haproxy = RuntimeApi()
        proxy.signal(signal.SIGSTOP)  # so that the control plane does not answer
        try:
            async with proxy.client(ID) as client:
                visit = asyncio.create_task(client.get("/"))
                async with asyncio.timeout(5):
                    while " fe=lookups " not in await haproxy_command(proxy, "show sess"):  # noqa: ASYNC110 - HAProxy tells nobody by itself
                        await asyncio.sleep(0.02)
                assert "frontend=visitors" in await haproxy_command(proxy, "show sess all")
                assert set() == await haproxy.addresses_in_use()
                assert await haproxy.close_streams_to("127.0.0.2:3000") == 0
                assert await haproxy.count_requests() == 1
                proxy.signal(signal.SIGCONT)
                assert (await visit).status_code == 404
        finally:
            proxy.signal(signal.SIGCONT)
