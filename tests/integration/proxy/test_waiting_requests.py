"""Requests that wait for the control plane's word, and what may happen meanwhile."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, SessionsTable, StartProxy, StartUpstream, Text


async def is_waiting(proxy: Proxy, haproxy_command: HaproxyCommand) -> bool:
    return " fe=questions " in await haproxy_command(proxy, "show sess")


async def test_the_streams_can_be_listed_while_a_request_waits(
    start_proxy: StartProxy,
    start_upstream: StartUpstream,
    table: SessionsTable,
    text: Text,
    haproxy_command: HaproxyCommand,
) -> None:
    """A route is withdrawn by listing streams; HAProxy 2.8 does not survive that while Lua has a plain socket open."""
    upstream = await start_upstream(text("shown"))
    session_id = table.put(ip=upstream.address, port=3000)
    with start_proxy() as proxy:
        async with proxy.client(session_id) as client:
            proxy.signal(signal.SIGSTOP)
            try:
                request = asyncio.create_task(client.get("/"))
                async with asyncio.timeout(5):
                    while not await is_waiting(proxy, haproxy_command):  # noqa: ASYNC110 - another process changes it
                        await asyncio.sleep(0.02)
                assert "fe=visitors" in (await haproxy_command(proxy, "show sess"))
                assert "frontend=visitors" in await haproxy_command(proxy, "show sess all")
            finally:
                proxy.signal(signal.SIGCONT)
            assert "shown" == (await request).text
