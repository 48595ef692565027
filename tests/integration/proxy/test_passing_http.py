"""HTTP between a visitor and a dev server, as if both were on one machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.conftest import new_address

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream, Text, Upstream


@pytest.fixture
async def echo(start_upstream: StartUpstream) -> Upstream:
    """A dev server that answers with the head it received."""

    async def respond(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(head) + head)
        await writer.drain()

    return await start_upstream(respond)


@pytest.fixture
def echo_session(echo: Upstream, table: SessionsTable) -> str:
    return str(table.put(ip=echo.address, port=3000))


async def test_two_sessions_do_not_cross(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    first, second = await start_upstream(text("first")), await start_upstream(text("second"), port=4321)
    sessions = {
        table.put(ip=first.address, port=3000): "first",
        table.put(ip=second.address, port=4321): "second",
    }

    async def visit(session_id: str, expected: str) -> None:
        async with proxy.client(session_id) as client:
            for _ in range(20):
                assert expected == (await client.get("/")).text

    await asyncio.gather(*(visit(*session) for session in sessions.items()))


async def test_a_session_is_reachable_as_soon_as_its_row_is_written(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("live"))
    session_id = table.put(status="STARTING")
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).status_code == 503
        table.put(id=session_id, ip=upstream.address, port=3000)
        assert (await client.get("/")).text == "live"


@pytest.mark.parametrize(
    "origin",
    [
        "http://{host}",  # the page came over https
        "https://{host}.evil.example",
        "https://evil.example",
        "null",
    ],
)
async def test_an_origin_that_is_not_the_sessions_own_is_seen_as_it_is(
    proxy: Proxy, echo_session: str, origin: str
) -> None:
    sent = origin.format(host=f"{echo_session}.uat.example.test:8080")
    async with proxy.client(echo_session, headers={"X-Forwarded-Proto": "https", "Origin": sent}) as client:
        assert f"\r\norigin: {sent}\r\n" in (await client.post("/")).text


async def test_forwarding_headers_cannot_be_forged(proxy: Proxy, echo_session: str) -> None:
    forged = [
        ("X-Forwarded-For", "6.6.6.6, 203.0.113.9"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Port", "666"),
        ("X_Forwarded_For", "6.6.6.6"),
        ("X_Forwarded_Host", "evil.example"),
        ("X-Real-IP", "6.6.6.6"),
        ("Forwarded", "for=6.6.6.6"),
        ("Proxy", "http://6.6.6.6"),
        ("Proxy-Authorization", "6.6.6.6"),
        ("Connection", "x-forwarded-host, keep-alive"),
    ]
    host = f"{echo_session}.uat.example.test:8080"
    async with proxy.client(echo_session) as client:
        seen = (await client.get("/", headers=[*client.headers.multi_items(), *forged])).text
    assert "6.6.6.6" not in seen
    assert "evil" not in seen
    assert "gopher" not in seen
    assert "666" not in seen
    forwarded = [line for line in seen.split("\r\n") if "forwarded" in line]
    expected = ["x-forwarded-for: 203.0.113.9", f"x-forwarded-host: {host}", "x-forwarded-proto: http"]
    assert expected == sorted(forwarded)
    assert "connection" not in seen


async def test_path_and_query_arrive_byte_for_byte(proxy: Proxy, echo_session: str) -> None:
    target = b"/a%2Fb//../c%20d/%E2%82%AC;v=1?q=a+b&&x=%2f?"
    host = f"{echo_session}.uat.example.test".encode()
    seen = await proxy.exchange(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert b"GET " + target + b" HTTP/1.1\r\n" in seen


async def test_an_upper_case_host_is_the_same_session(proxy: Proxy, echo_session: str) -> None:
    async with proxy.client(echo_session.upper()) as client:
        assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://localhost:3000/login?next=http://localhost:3000/", "https://{host}/login?next=http://localhost:3000/"),
        ("https://localhost:3000", "https://{host}"),
        ("http://0.0.0.0:3000/new", "https://{host}/new"),
        ("http://127.0.0.1:3000/new", "https://{host}/new"),
        ("http://[::]:3000/new", "https://{host}/new"),
        ("http://{ip}:3000/new", "https://{host}/new"),
        ("http://127.0.0.1:4000/new", "http://127.0.0.1:4000/new"),
        ("http://127.0.0.1/new", "http://127.0.0.1/new"),
        ("http://localhost:4000/", "http://localhost:4000/"),
        ("https://accounts.example/localhost:3000", "https://accounts.example/localhost:3000"),
        ("/x/localhost:3000/y", "/x/localhost:3000/y"),
        ("/login", "/login"),
    ],
)
async def test_a_redirect_of_the_dev_server_to_itself_stays_on_the_public_origin(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, location: str, expected: str
) -> None:
    address = new_address()
    sent = f"Location: {location.format(ip=address)}"
    upstream = await start_upstream(f"HTTP/1.1 302 Found\r\n{sent}\r\nContent-Length: 0\r\n\r\n".encode(), address)
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id, headers={"X-Forwarded-Proto": "https"}) as client:
        response = await client.get("/")
    assert expected.format(host=f"{session_id}.uat.example.test:8080") == response.headers["location"]


async def test_several_cookies_stay_several(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; HttpOnly"))
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        response = await client.get("/")
    assert response.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; HttpOnly"]


async def test_hop_by_hop_headers_of_the_dev_server_end_at_the_proxy(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("", "Connection: keep-alive, x-hop", "Keep-Alive: timeout=5", "X-Own: 1"))
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        headers = (await client.get("/")).headers
    assert "keep-alive" not in headers
    assert "connection" not in headers
    assert headers["x-own"] == "1"


async def test_a_head_request_keeps_the_length(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        response = await client.head("/")
        again = await client.head("/")
    assert response.headers["content-length"] == "12345"
    assert again.status_code == 200


async def test_ranges_and_encodings_pass_untouched(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    partial = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/9\r\nContent-Length: 3\r\n\r\ncde"
    upstream = await start_upstream(partial)
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        response = await client.get("/", headers={"Range": "bytes=2-4", "Accept-Encoding": "br;q=1, gzip"})
    assert (response.status_code, response.headers["content-range"], response.content) == (206, "bytes 2-4/9", b"cde")
    assert b"\r\nrange: bytes=2-4\r\n" in upstream.requests[0]
    assert b"\r\naccept-encoding: br;q=1, gzip\r\n" in upstream.requests[0]


async def test_a_connection_is_kept_for_the_next_request(proxy: Proxy, echo_session: str) -> None:
    host = f"{echo_session}.uat.example.test".encode()
    first = b"GET /1 HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    last = b"GET /2 HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
    both = await proxy.exchange(first + last)
    assert both.count(b"HTTP/1.1 200 OK") == 2


async def test_each_of_many_sessions_keeps_its_connection_to_the_dev_server(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    connections: list[str] = []

    async def stay(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append("opened")
        while True:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")

    upstreams = [await start_upstream(stay) for _ in range(6)]
    session_ids = [table.put(ip=upstream.address, port=3000) for upstream in upstreams]
    async with proxy.client(session_ids[0]) as client:
        for _ in range(10):
            for session_id in session_ids:
                response = await client.get("/", headers={"Host": f"{session_id}.uat.example.test"})
                assert response.status_code == 200
    # One for each session, some more for those that were closed as unused meanwhile: a half of them each second.
    assert 6 <= len(connections) <= 30


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
async def test_no_request_is_lost_on_a_connection_that_the_dev_server_just_closed(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, method: str
) -> None:
    lost: list[bytes] = []

    async def close_on_the_second(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        lost.append(await reader.readuntil(b"\r\n\r\n"))

    upstream = await start_upstream(close_on_the_second)
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        await client.get("/")
        for _ in range(2):
            assert (await client.request(method, "/")).status_code == 200
    assert len(upstream.requests) == 3
    assert [request for request in lost if not request.startswith((b"GET", b"HEAD"))] == []


async def test_a_request_with_effects_is_never_sent_twice(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def hang_up(*_: object) -> None:
        pass

    upstream = await start_upstream(hang_up)
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        assert (await client.post("/", content=b"order")).status_code == 502
    assert len(upstream.requests) == 1
