"""What a dev server and a visitor say to each other passes byte for byte, whatever it means."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import asyncio

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream


async def request_line_seen(proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, target: bytes) -> bytes:
    """Return the first line that the dev server gets when a visitor asks for `target`."""
    upstream = await start_upstream(b"HTTP/1.1 204 No Content\r\n\r\n")
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    answer = await proxy.exchange(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert answer[:12] == b"HTTP/1.1 204"
    return upstream.requests[0].partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "target",
    [
        b"/a%2Fb",
        b"/a%2fb",
        b"//host/path",
        b"/a//b/",
        b"/a/../b/./c",
        b"/a/%2e%2e/%2E/b",
        b"/a;v=1/b;c",
        b"/%E2%82%AC/%e2%82%ac",
        b"/%00%0d%0a",
        b"/a+b%20c",
        b'/a\\b|c{d}[e]^`"<>',
        b"/?",
        b"/?q=a+b&&x=%2f?y=/../;z",
        b"/?next=http://localhost:3000/",
        b"/@vite/client?t=1",
        b"/@fs/C:/x",
        b"/" + b"a" * 8000,
    ],
)
async def test_a_target_is_seen_as_it_was_sent(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, target: bytes
) -> None:
    assert b"GET " + target + b" HTTP/1.1" == await request_line_seen(proxy, table, start_upstream, target)


@pytest.mark.parametrize("target", ["/€".encode(), b"/?q=\xe9", b"/a b", b"/a#b"])
async def test_a_target_that_no_browser_sends_unescaped_is_refused(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, target: bytes
) -> None:
    upstream = await start_upstream(b"HTTP/1.1 204 No Content\r\n\r\n")
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    answer = await proxy.exchange(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert (answer[:12], upstream.requests) == (b"HTTP/1.1 400", [])


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\nx-own: 1\r\n",
        b'HTTP/1.1 304 Not Modified\r\netag: W/"a"\r\n',
        b"HTTP/1.1 418 I'm a teapot\r\ncontent-length: 0\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nset-cookie: a=1; Path=/\r\nset-cookie: b=2\r\nx-name: caf\xe9\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nlink: </a>; rel=preload\r\nlink: </b>; rel=preload\r\nvary: *\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-long: " + b"a" * 8000 + b"\r\n",
    ],
)
async def test_a_head_is_seen_as_it_was_sent(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, answer: bytes
) -> None:
    upstream = await start_upstream(answer + b"\r\n")
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    seen = await proxy.exchange(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert answer == seen.replace(b"connection: close\r\n", b"").removesuffix(b"\r\n")


async def test_a_compressed_body_is_neither_opened_nor_packed_anew(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    body = gzip.compress(b"text " * 50_000, compresslevel=1)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
    upstream = await start_upstream(head % len(body) + body)
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    request = b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    seen_head, _, seen_body = (await proxy.exchange(request)).partition(b"\r\n\r\n")
    assert body == seen_body
    assert b"content-encoding: gzip" in seen_head


async def test_a_body_that_could_be_compressed_is_left_alone(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    body = b"text " * 5000
    upstream = await start_upstream(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    request = b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    seen_head, _, seen_body = (await proxy.exchange(request)).partition(b"\r\n\r\n")
    assert body == seen_body
    assert b"content-encoding" not in seen_head


async def test_a_head_request_gets_the_head_of_a_body_sent_in_chunks(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        response = await client.head("/")
        again = await client.head("/")
    assert (response.status_code, again.status_code, response.content) == (200, 200, b"")


async def test_an_answer_that_ends_with_its_connection_is_whole(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def until_the_end(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 300_000)
        await writer.drain()

    upstream = await start_upstream(until_the_end)
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        assert len((await client.get("/")).content) == 300_000
