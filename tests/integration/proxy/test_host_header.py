"""A dev server is called by the name it knows itself by, or by the public one where its repository asks for it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
import websockets
from websockets.typing import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy, StartUpstream, Text
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

PUBLIC = "{id}.uat.example.test"
ALWAYS = {"x-forwarded-for": "203.0.113.9"}
TOLD = {"x-forwarded-host": PUBLIC, "x-forwarded-proto": "https"}
OWN, OWN_BUT_HTTP, ANOTHER = f"https://{PUBLIC}", f"http://{PUBLIC}", "https://elsewhere.example"
LOCAL = {"host": "localhost:3000"}
FORGED = [
    *("Forwarded", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Prefix"),
    *("X_Forwarded_Host", "X-Forwarded_Host", "x_forwarded-host", "X_FORWARDED_PROTO", "X_Forwarded_For"),
    *("X-Real-IP", "X_Real_IP", "Proxy", "Proxy-Authorization"),
]


def fields_of(head: bytes) -> list[tuple[str, str]]:
    """Return the fields that say who asks whom; each as often as it is there."""
    fields = [line.partition(": ") for line in head.decode().split("\r\n")[1:] if line]
    return sorted(
        (name, value)
        for name, _, value in fields
        if name in {"host", "origin"} or "forwarded" in name or "real" in name or name.startswith("proxy")
    )


@pytest.mark.security
@pytest.mark.parametrize(
    ("row", "origin", "expected"),
    [
        ({}, None, LOCAL | TOLD),
        ({}, OWN, LOCAL | TOLD),
        ({}, OWN_BUT_HTTP, LOCAL | TOLD | {"origin": OWN_BUT_HTTP}),
        ({}, ANOTHER, LOCAL | TOLD | {"origin": ANOTHER}),
        ({"host_header": "localhost"}, None, LOCAL | TOLD),
        ({"host_header": "localhost"}, OWN, LOCAL | TOLD),
        ({"host_header": "127.0.0.1"}, None, {"host": "127.0.0.1:3000"} | TOLD),
        ({"host_header": "127.0.0.1"}, OWN, {"host": "127.0.0.1:3000"} | TOLD),
        ({"host_header": "127.0.0.1"}, ANOTHER, {"host": "127.0.0.1:3000", "origin": ANOTHER} | TOLD),
        ({"host_header": "public"}, None, {"host": PUBLIC} | TOLD),
        ({"host_header": "public"}, OWN, {"host": PUBLIC, "origin": OWN} | TOLD),
        ({"host_header": "public"}, OWN_BUT_HTTP, {"host": PUBLIC, "origin": OWN_BUT_HTTP} | TOLD),
        ({"host_header": "public"}, ANOTHER, {"host": PUBLIC, "origin": ANOTHER} | TOLD),
    ],
)
async def test_a_dev_server_is_told_the_truth_and_nothing_that_the_visitor_made_up(  # noqa: PLR0913, PLR0917 - a table
    proxy: Proxy,
    table: SessionsTable,
    start_upstream: StartUpstream,
    text: Text,
    row: dict[str, str],
    origin: str | None,
    expected: dict[str, str],
) -> None:
    upstream = await start_upstream(text("seen"))
    session_id = table.put(ip=upstream.address, port=3000, **row)
    fields = [
        ("Host", PUBLIC.format(id=session_id)),
        ("X-Forwarded-For", "6.6.6.6, 203.0.113.9"),  # the load balancer appends the address it sees
        ("X-Forwarded-Proto", "https"),
        ("Connection", "x-forwarded-host, x-forwarded-proto, close"),
        *((name, "evil.example") for name in FORGED),
        *([("Origin", origin.format(id=session_id))] if origin else []),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    for method in ("GET", "POST"):
        answer = await proxy.exchange(f"{method} / HTTP/1.1\r\n{head}\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 200")
    told = {name: value.format(id=session_id) for name, value in (ALWAYS | expected).items()}
    assert [sorted(told.items())] * 2 == [fields_of(request) for request in upstream.requests]


@pytest.fixture
async def handshakes(unused_address: str) -> AsyncIterator[tuple[str, list[Request]]]:
    """A dev server with an open WebSocket for everybody; its address and the handshakes it has seen."""
    seen: list[Request] = []

    def note(connection: ServerConnection, request: Request) -> Response | None:
        seen.append(request)
        return None if "Upgrade" in request.headers else connection.respond(200, request.headers["Host"])

    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with websockets.serve(hold, unused_address, 3000, process_request=note):
        yield unused_address, seen


@pytest.mark.parametrize(
    ("name", "host", "origins"),
    [
        ("localhost", "localhost:3000", ["http://localhost:3000"]),
        ("127.0.0.1", "127.0.0.1:3000", ["http://127.0.0.1:3000"]),
        ("public", f"{PUBLIC}:8080", [f"http://{PUBLIC}:8080"]),
    ],
)
async def test_a_websocket_s_origin_is_by_the_name_that_the_dev_server_is_called(  # noqa: PLR0913, PLR0917 - a table
    proxy: Proxy,
    table: SessionsTable,
    handshakes: tuple[str, list[Request]],
    name: str,
    host: str,
    origins: list[str],
) -> None:
    address, seen = handshakes
    session_id = table.put(ip=address, port=3000, host_header=name)
    authority = f"{PUBLIC}:8080".format(id=session_id)
    async with websockets.connect(
        f"ws://{authority}/hmr", host=proxy.address, port=8080, origin=Origin(f"http://{authority}")
    ) as socket:
        await asyncio.wait_for(await socket.ping(), 5)
    (handshake,) = seen
    assert host.format(id=session_id) == handshake.headers["Host"]
    assert [origin.format(id=session_id) for origin in origins] == handshake.headers.get_all("Origin")
    assert [authority] == handshake.headers.get_all("X-Forwarded-Host")


async def test_a_websocket_from_another_page_says_so(
    proxy: Proxy, table: SessionsTable, handshakes: tuple[str, list[Request]]
) -> None:
    address, seen = handshakes
    authority = f"{PUBLIC}:8080".format(id=table.put(ip=address, port=3000))
    async with websockets.connect(
        f"ws://{authority}/hmr", host=proxy.address, port=8080, origin=Origin(ANOTHER)
    ) as socket:
        await asyncio.wait_for(await socket.ping(), 5)
    assert seen[0].headers.get_all("Origin") == [ANOTHER]


@pytest.mark.parametrize("name", ["localhost", "public"])
@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://localhost:3000/login", "https://{host}/login"),
        ("http://{host}/login?next=http://{host}/", "https://{host}/login?next=http://{host}/"),
        ("HTTP://{HOST}", "https://{host}"),
        ("https://{host}/login", "https://{host}/login"),
        ("//{host}/login", "//{host}/login"),
        ("http://{host}.evil.example/", "http://{host}.evil.example/"),
        ("http://elsewhere.example/{host}/", "http://elsewhere.example/{host}/"),
        ("/login", "/login"),
    ],
)
async def test_a_redirect_to_itself_stays_on_the_public_origin_by_whichever_name(  # noqa: PLR0913, PLR0917 - a table
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, name: str, location: str, expected: str
) -> None:
    async def redirect(*arguments: object) -> None:
        _, _, writer = arguments
        assert isinstance(writer, asyncio.StreamWriter)
        sent = location.format(host=host, HOST=host.upper())
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {sent}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    upstream = await start_upstream(redirect)
    session_id = table.put(ip=upstream.address, port=3000, host_header=name)
    host = PUBLIC.format(id=session_id)
    async with proxy.client(session_id, {"Host": host, "X-Forwarded-Proto": "https"}) as client:
        response = await client.get("/")
    assert expected.format(host=host) == response.headers["location"]


async def test_another_name_applies_to_a_running_session_and_closes_what_was_open_by_the_former(
    proxy: Proxy, table: SessionsTable, handshakes: tuple[str, list[Request]]
) -> None:
    address, _ = handshakes
    session_id = table.put(ip=address, port=3000)
    authority = f"{PUBLIC}:8080".format(id=session_id)
    former = "localhost:3000"
    async with proxy.client(session_id) as client:
        for name, now in (("public", authority), ("localhost", "localhost:3000")):
            async with websockets.connect(f"ws://{authority}/hmr", host=proxy.address, port=8080) as socket:
                assert former == (await client.get("/")).text
                table.put(id=session_id, ip=address, port=3000, host_header=name)
                async with asyncio.timeout(5):
                    await socket.wait_closed()
                assert now == (await client.get("/")).text
            former = now


async def test_a_session_by_an_unknown_name_is_not_shown(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("reached"))
    session_id = table.put(ip=upstream.address, port=3000, host_header="evil.example")
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).status_code == 404
    assert upstream.requests == []


@pytest.mark.security
async def test_haproxy_takes_nothing_but_a_route_for_one(
    start_proxy: StartProxy, start_upstream: StartUpstream, text: Text
) -> None:
    """Another server stands in for the control plane."""
    upstream = await start_upstream(text("reached"))
    place = f"{upstream.address}:3000"
    malformed = [
        *("", "nonsense", f" {place}", f"{place}\n", f"x{place}", f"{place}x", f"{place}:", f"{place}:evil"),
        *(f"{place}:public ", f"{place}:publicity", f"{place}:public:public", f"{place}:localhost"),
        *(f"{place}:127.0.0.2", f"{place}:127.0.0.1:public", f"{place}:127x0x0x1"),
    ]
    words = iter([place, f"{place}:public", f"{place}:127.0.0.1", *malformed])

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            body = next(words).encode() if head.startswith(b"GET /routes/") else b"a page"
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    with start_proxy() as proxy:
        (control,) = proxy.folder.glob("uat-proxy-*/control.sock")
        control.rename(control.with_name("former.sock"))
        async with await asyncio.start_unix_server(say, control), proxy.client("09e22a8b") as client:
            for expected in ("reached", "reached", "reached", *("a page" for _ in malformed)):
                assert expected == (await client.get("/")).text
    assert len(upstream.requests) == 3
