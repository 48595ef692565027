"""Cookies between visitors, proxy and dev servers: the proxy's stay its own, and each session's stay on its host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import websockets
from tests.integration.proxy.visitor import ACCESS_COOKIE, access_token

if TYPE_CHECKING:
    import asyncio

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream, Text, Upstream
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response


async def cookies_seen(proxy: Proxy, table: SessionsTable, upstream: Upstream, *headers: str) -> list[bytes]:
    """Send Cookie headers, `{ours}` being a good access cookie; return the Cookie headers that arrive."""
    session_id = table.put(ip=upstream.address, port=3000)
    ours = f"{ACCESS_COOKIE}={access_token(session_id)}"
    lines = "".join(f"Cookie: {header.replace('{ours}', ours)}\r\n" for header in headers)
    response = await proxy.exchange(
        f"GET / HTTP/1.1\r\nHost: {session_id}.uat.example.test\r\n{lines}Connection: close\r\n\r\n".encode()
    )
    assert response.startswith(b"HTTP/1.1 200 ")
    (head,) = upstream.requests
    return [line.partition(b": ")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"cookie:")]


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        (["{ours}"], []),
        (["{ours}; "], []),
        (["{ours}; a=1"], [b"a=1"]),
        (["a=1; {ours}"], [b"a=1"]),
        (["a=1; {ours}; b=2"], [b"a=1; b=2"]),
        (["a=1;{ours};b=2"], [b"a=1;b=2"]),
        (["{ours}; __Host-uat-renewal=x; __Host-uat-sign-in=y"], []),
        (["__Host-uat-renewal=x; a=1; __Host-uat-sign-in=; {ours}; b=2; __Host-uat-z"], [b"a=1; b=2"]),
        (["{ours};\t__Host-uat-x=1;   __Host-uat-y=2; a=1"], [b"a=1"]),
        (["{ours}; __Host-other=1; x__Host-uat-a=2; b=__Host-uat"], [b"__Host-other=1; x__Host-uat-a=2; b=__Host-uat"]),
    ],
)
async def test_the_proxys_own_cookies_end_at_the_proxy(
    gated: Proxy, table: SessionsTable, upstream: Upstream, sent: list[str], arrives: list[bytes]
) -> None:
    assert arrives == await cookies_seen(gated, table, upstream, *sent)


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        (["a=1", "b=2"], [b"a=1; b=2"]),
        (["a=1", "{ours}", "b=2"], [b"a=1; b=2"]),
        (["{ours}", "__Host-uat-x=1"], []),
    ],
)
async def test_several_cookie_headers_are_read_as_one(
    proxy: Proxy, table: SessionsTable, upstream: Upstream, sent: list[str], arrives: list[bytes]
) -> None:
    assert arrives == await cookies_seen(proxy, table, upstream, *sent)


@pytest.mark.parametrize("cookie", ["a=1; b=2", 'a="x; y"', "a", "=b", "a=1;;b=2; ", "a=caf\u00e9"])
async def test_other_cookies_arrive_byte_for_byte(
    proxy: Proxy, table: SessionsTable, upstream: Upstream, cookie: str
) -> None:
    assert [cookie.strip().encode()] == await cookies_seen(proxy, table, upstream, cookie)


async def test_a_request_without_cookies_gets_none(proxy: Proxy, table: SessionsTable, upstream: Upstream) -> None:
    assert await cookies_seen(proxy, table, upstream) == []


@pytest.mark.parametrize(
    "set_and_kept",
    [
        (["a=1; Path=/; HttpOnly", "b=2"], ["a=1; Path=/; HttpOnly", "b=2"]),
        (["a=1; Domain=uat.example.test; Path=/"], ["a=1; Path=/"]),
        (["a=1; Path=/;domain = .example.test"], ["a=1; Path=/"]),
        (["a=1; DOMAIN; Secure", "b=2; Domain="], ["a=1; Secure", "b=2"]),
        (
            ["domain=x; Path=/domain; Secure", "a=Domain=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Domain=x"],
            ["domain=x; Path=/domain; Secure", "a=Domain=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
        ),
        (["a=1", f"{ACCESS_COOKIE}=forged; Path=/; Secure", "b=2"], ["a=1", "b=2"]),
        (
            ["__Host-uat-x=1; Secure; Path=/", "=__Host-uat-access=y", "__Host-own=1; Secure; Path=/"],
            ["__Host-own=1; Secure; Path=/"],
        ),
    ],
)
async def test_a_dev_server_sets_cookies_for_its_own_host_alone_and_none_of_ours(
    proxy: Proxy,
    table: SessionsTable,
    start_upstream: StartUpstream,
    text: Text,
    set_and_kept: tuple[list[str], list[str]],
) -> None:
    set_by_the_dev_server, kept = set_and_kept
    upstream = await start_upstream(text("", *(f"Set-Cookie: {cookie}" for cookie in set_by_the_dev_server)))
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        response = await client.get("/")
    assert kept == response.headers.get_list("set-cookie")


async def test_a_cookie_that_a_websocket_sets_is_isolated_too(
    proxy: Proxy, table: SessionsTable, unused_address: str
) -> None:
    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    def set_cookie(_: ServerConnection, __: Request, response: Response) -> Response:
        response.headers["Set-Cookie"] = "a=1; Domain=uat.example.test"
        return response

    async with websockets.serve(hold, unused_address, 3000, process_response=set_cookie):
        uri = f"ws://{table.put(ip=unused_address, port=3000)}.uat.example.test:8080/"
        async with websockets.connect(uri, host=proxy.address, port=8080) as socket:
            assert socket.response
            assert socket.response.headers.get_all("Set-Cookie") == ["a=1"]


async def test_an_answer_of_a_later_visitor_is_not_touched_by_an_earlier_ones_cookies(
    gated: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def echo(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")

    upstream = await start_upstream(echo)
    session_id = table.put(ip=upstream.address, port=3000)
    ours = f"{ACCESS_COOKIE}={access_token(session_id)}"
    async with gated.client(session_id) as client:
        first = await client.get("/", headers={"Cookie": f"{ours}; user=1"})
        second = await client.get("/", headers={"Cookie": f"user=2; {ours}"})
    assert ("\r\ncookie: user=1\r\n" in first.text, "\r\ncookie: user=2\r\n" in second.text) == (True, True)
