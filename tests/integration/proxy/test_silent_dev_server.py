"""A dev server that accepts connections and says nothing: visitors see why, and nothing that works is cut."""

from __future__ import annotations

import asyncio
import html
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.visitor import NAVIGATION

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream

LIMIT_SECONDS = 15


async def never(_: bytes, __: asyncio.StreamReader, ___: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def begins_and_goes_on_later(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nlast")
    await asyncio.sleep(LIMIT_SECONDS + 1)
    writer.write(b"line")


async def needs_long(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(LIMIT_SECONDS + 1)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nlastline")


async def test_who_opens_a_page_of_a_silent_dev_server_sees_why_and_all_else_waits(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    silent, stream, slow = [
        table.put(ip=(await start_upstream(kind)).address, port=3000)
        for kind in (never, begins_and_goes_on_later, needs_long)
    ]

    async def visit(session_id: str, *, method: str = "GET", **headers: str) -> tuple[int, str, float]:
        began = time.monotonic()
        async with proxy.client(session_id, NAVIGATION | headers) as client:
            response = await client.request(method, "/", timeout=30)
        return response.status_code, response.text, time.monotonic() - began

    page, *others = await asyncio.gather(
        visit(silent),
        visit(stream),
        visit(slow, method="POST"),
        visit(slow, **{"Sec-Fetch-Mode": "cors", "Accept": "*/*"}),
        visit(slow, Cookie="__Host-uat-patience=1"),
    )

    status, text, seconds = page
    assert (status, "The dev server isn't responding" in html.unescape(text)) == (HTTPStatus.BAD_GATEWAY, True)
    assert LIMIT_SECONDS - 1 < seconds < LIMIT_SECONDS + 3
    assert [other[:2] for other in others] == [(HTTPStatus.OK, "lastline")] * 4


@pytest.mark.security
async def test_a_dev_server_does_not_see_how_long_the_proxy_waits(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(b"HTTP/1.1 204 No Content\r\n\r\n")
    async with proxy.client(table.put(ip=upstream.address, port=3000), NAVIGATION) as client:
        await client.get("/", headers={"Cookie": "a=1; __Host-uat-patience=1"})

    assert b"cookie: a=1\r\n" in upstream.requests[0]
