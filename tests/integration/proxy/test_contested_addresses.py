"""Nobody is shown another session's container, whatever the table says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.visitor import until_answered

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream, Text

pytestmark = pytest.mark.security


async def becomes(expected: int, proxy: Proxy, session_id: str) -> None:
    async with proxy.client(session_id) as client:
        await until_answered(expected, lambda: client.get("/"), 5)


async def test_an_address_that_two_sessions_claim_is_shown_to_neither_until_one_has_ended(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("the new one's"))
    stale, new = table.put(ip=upstream.address, port=3000), table.put(ip=upstream.address, port=3000)
    await becomes(200, proxy, stale)
    async with proxy.client(new) as client:
        assert (await client.get("/")).status_code == 502
    async with proxy.client(stale) as client:
        assert (await client.get("/")).status_code == 502
    (said,) = [line for line in proxy.log() if upstream.address == line.get("address") and line["level"] == "ERROR"]
    assert sorted((stale, new)) == said["sessions"]
    table.put(id=stale, status="FAILED")
    await becomes(200, proxy, new)
    async with proxy.client(stale) as client:
        assert (await client.get("/")).status_code == 410


async def test_a_session_that_moves_to_anothers_address_takes_both_off_it(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    first, second = await start_upstream(text("first")), await start_upstream(text("second"))
    staying, moving = table.put(ip=first.address, port=3000), table.put(ip=second.address, port=3000)
    await becomes(200, proxy, staying)
    await becomes(200, proxy, moving)
    table.put(id=moving, ip=first.address, port=3000)
    await becomes(502, proxy, staying)
    await becomes(502, proxy, moving)
    table.put(id=moving, ip=second.address, port=3000)
    await becomes(200, proxy, staying)
    await becomes(200, proxy, moving)
