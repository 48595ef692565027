"""HAProxy lists its streams whenever a session stops or moves; that must never be its end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import HaproxyCommand, StartProxy

pytestmark = pytest.mark.security


async def test_visitors_who_wait_for_a_look_up_survive_the_listing(
    start_proxy: StartProxy, haproxy_command: HaproxyCommand
) -> None:
    may_answer = asyncio.Event()

    async def silent_table(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await may_answer.wait()
        writer.close()

    async with await asyncio.start_server(silent_table, "127.0.0.1", 0) as table:
        start = start_proxy(f"http://127.0.0.1:{table.sockets[0].getsockname()[1]}")
        proxy = await asyncio.to_thread(start.__enter__)
        try:
            async with proxy.client("00000000") as client:
                visit = asyncio.create_task(client.get("/"))
                # The question to the control plane is a stream as well.
                async with asyncio.timeout(5):
                    while "proto=?" not in await haproxy_command(proxy, "show sess"):  # noqa: ASYNC110 - another process changes it
                        await asyncio.sleep(0.02)
                assert "fe=visitors" in await haproxy_command(proxy, "show sess")
                assert "frontend=visitors" in await haproxy_command(proxy, "show sess all")
                may_answer.set()
                assert 503 == (await visit).status_code
        finally:
            may_answer.set()
            await asyncio.to_thread(start.__exit__, None, None, None)
