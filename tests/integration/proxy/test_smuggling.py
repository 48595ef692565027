"""Where a message ends is never in doubt: not between a visitor and a dev server, nor on the way back."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.kit.raw_server import serve_raw

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream, Upstream

pytestmark = pytest.mark.security

_HEAD = re.compile(rb"^([!-~]+ [!-~]+) HTTP/1\.1\r$", re.MULTILINE)
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n"


@dataclass
class Recorder:
    """A dev server that keeps every byte it gets, by connection, and answers nothing until it is asked to."""

    host: bytes
    received: list[bytearray] = field(default_factory=list)

    @property
    def request_lines(self) -> list[bytes]:
        return [line for connection in self.received for line in _HEAD.findall(connection)]


@pytest.fixture
async def recorder(table: SessionsTable, unused_address: str) -> AsyncIterator[Recorder]:
    recorder = Recorder(f"{table.put(ip=unused_address, port=3000)}.uat.example.test".encode())

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = bytearray()
        recorder.received.append(received)
        while data := await reader.read(65_536):
            received += data
            if received.endswith(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n")

    async with serve_raw(record, unused_address, 3000):
        yield recorder


async def send(proxy: Proxy, recorder: Recorder, request: bytes) -> bytes:
    return await proxy.exchange(request.replace(b"{host}", recorder.host))


CLOSE = b"Connection: close"


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: {host}", *headers, b"", body])


CHUNKED = b"Transfer-Encoding: chunked"
REFUSED = {
    "two different lengths": post(b"Content-Length: 4", b"Content-Length: 5", body=b"abcde"),
    "a list of different lengths": post(b"Content-Length: 4, 5", body=b"abcde"),
    "a negative length": post(b"Content-Length: -1", body=SMUGGLED),
    "a signed length": post(b"Content-Length: +4", body=b"abcd"),
    "a hexadecimal length": post(b"Content-Length: 0x4", body=b"abcd"),
    "a length in two words": post(b"Content-Length: 4 4", body=b"abcd"),
    "no length in a length": post(b"Content-Length: ", body=SMUGGLED),
    "a length beyond 63 bits": post(b"Content-Length: 9223372036854775808", body=b"abcd"),
    "a length that wraps around to 4": post(b"Content-Length: 18446744073709551620", body=b"abcd" + SMUGGLED),
    "a space before the colon of a length": post(b"Content-Length : 4", body=b"abcd"),
    "a space before the colon of a coding": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "a vertical tab before a coding": post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "a quoted coding": post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "chunked, then identity": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "identity, then chunked": post(b"Transfer-Encoding: identity, chunked", body=b"0\r\n\r\n"),
    "two codings in two headers": post(CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "chunked twice": post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"),
    "gzip, then chunked": post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "no coding in a coding": post(b"Transfer-Encoding:", b"Content-Length: 4", body=b"abcd"),
    "a coding in HTTP/1.0": post(CHUNKED, body=b"0\r\n\r\n").replace(b"/1.1", b"/1.0", 1),
    "a carriage return within a header": post(b"X-A: b\rTransfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "a NUL within a header": post(b"X-A: b\x00c"),
    "a space within a header's name": post(b"X A: b"),
    "a bracket within a header's name": post(b"X(A): b"),
    "a byte beyond ASCII in a header's name": post(b"X-\xff: b"),
    "no name": post(b": b"),
    "no colon": post(b"X-A"),
    "a fold before the first header": b"GET / HTTP/1.1\r\n Host: evil.example\r\nHost: {host}\r\n\r\n",
    "a chunk size that is no number": post(CHUNKED, body=b"zz\r\nabcd\r\n0\r\n\r\n"),
    "a chunk size with a prefix": post(CHUNKED, body=b"0x4\r\nabcd\r\n0\r\n\r\n"),
    "a signed chunk size": post(CHUNKED, body=b"+4\r\nabcd\r\n0\r\n\r\n"),
    "a negative chunk size": post(CHUNKED, body=b"-4\r\nabcd\r\n0\r\n\r\n"),
    "a space before a chunk size": post(CHUNKED, body=b" 4\r\nabcd\r\n0\r\n\r\n"),
    "a chunk size that wraps around to 4": post(CHUNKED, body=b"10000000000000004\r\nabcd\r\n0\r\n\r\n"),
    "the largest chunk size": post(CHUNKED, body=b"ffffffffffffffff\r\nabcd\r\n0\r\n\r\n"),
    "a chunk longer than its size": post(CHUNKED, body=b"3\r\nabcd\r\n0\r\n\r\n"),
    "bare line feeds between chunks": post(CHUNKED, body=b"4\nabcd\n0\n\n"),
    "a line feed within a chunk extension": post(CHUNKED, body=b"4;a=\nb\r\nabcd\r\n0\r\n\r\n"),
    "a space before the method": b" GET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a method that is no token": b"GE(T / HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a NUL in the path": b"GET /\x00 HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a control character in the path": b"GET /\x01 HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a DEL in the path": b"GET /\x7f HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a byte beyond ASCII in the path": b"GET /\xff HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "a version without a dot": b"GET / HTTP/11\r\nHost: {host}\r\n\r\n",
    "a version in lower case": b"GET / http/1.1\r\nHost: {host}\r\n\r\n",
    "a line of the PROXY protocol": b"PROXY TCP4 6.6.6.6 7.7.7.7 1 2\r\nGET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303"),
    "a WebSocket with a body": post(b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 4", body=b"abcd"),
    "a WebSocket without a key": post(b"Connection: Upgrade", b"Upgrade: websocket").replace(b"POST", b"GET"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_has_no_certain_end_is_refused(proxy: Proxy, recorder: Recorder, case: str) -> None:
    response = await send(proxy, recorder, REFUSED[case] + SMUGGLED)
    assert response[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 422"}
    assert response.count(b"HTTP/1.1 ") == 1
    assert recorder.request_lines == []


@pytest.mark.parametrize(
    "headers",
    [
        [b"Content-Length: 5", CHUNKED],
        [CHUNKED, b"Content-Length: 5"],
        [b"Content-Length: 5000", CHUNKED],
        [b"Content-Length: 0", b"Transfer-Encoding:\r\n chunked"],
        [b"Content-Length: 5", b"TRANSFER-ENCODING:\tCHUNKED"],
    ],
    ids=repr,
)
async def test_chunks_win_over_a_length_and_nothing_after_them_is_read(
    proxy: Proxy, recorder: Recorder, headers: list[bytes]
) -> None:
    response = await send(proxy, recorder, post(*headers, body=b"0\r\n\r\n") + SMUGGLED)
    assert response.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in response.lower()
    assert recorder.request_lines == [b"POST /"]
    assert b"content-length" not in recorder.received[0]


async def test_one_length_said_twice_is_said_once(proxy: Proxy, recorder: Recorder) -> None:
    await send(proxy, recorder, post(CLOSE, b"Content-Length: 4", b"Content-Length: 4, 4", body=b"\r\n\r\n"))
    assert recorder.received[0].count(b"content-length: 4\r\n") == 1


@pytest.mark.parametrize("header", [b"Transfer_Encoding: chunked", b"Content_Length: 5"])
async def test_the_other_spelling_of_a_length_does_not_get_to_a_server_that_takes_it_for_one(
    proxy: Proxy, recorder: Recorder, header: bytes
) -> None:
    await send(proxy, recorder, post(CLOSE, header, b"Content-Length: 4", body=b"\r\n\r\n"))
    assert b"content-length: 4\r\n" in recorder.received[0]
    assert b"_" not in recorder.received[0].lower()


async def test_chunk_extensions_end_at_the_proxy(proxy: Proxy, recorder: Recorder) -> None:
    await send(proxy, recorder, post(CLOSE, CHUNKED, body=b'4;a="b\\"c"\r\nabcd\r\n0;x=y\r\n\r\n'))
    assert recorder.received[0].endswith(b"\r\n\r\n4\r\nabcd\r\n0\r\n\r\n")


async def test_a_folded_header_is_one_header(proxy: Proxy, recorder: Recorder) -> None:
    await send(proxy, recorder, post(CLOSE, b"X-A: b\r\n Content-Length: 5", b"Content-Length: 0"))
    assert re.search(rb"\r\nx-a: b +Content-Length: 5\r\n", recorder.received[0])
    assert b"\r\ncontent-length: 0\r\n" in recorder.received[0]


async def test_bare_line_feeds_become_proper_line_ends(proxy: Proxy, recorder: Recorder) -> None:
    await send(proxy, recorder, b"GET / HTTP/1.1\nHost: {host}\nConnection: close\nX-A: b\n\n")
    assert recorder.request_lines == [b"GET /"]
    assert re.fullmatch(rb"(?:[^\r\n]+\r\n)+\r\n", recorder.received[0])


async def test_empty_lines_before_a_request_are_nothing(proxy: Proxy, recorder: Recorder) -> None:
    await send(proxy, recorder, b"\r\n\r\nGET /a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert recorder.received[0].startswith(b"GET /a HTTP/1.1\r\n")


async def test_a_pipelined_request_is_a_request_like_any_other(proxy: Proxy, recorder: Recorder) -> None:
    """So it passes every rule by itself: the second names no session and goes nowhere."""
    response = await send(
        proxy,
        recorder,
        b"GET /1 HTTP/1.1\r\nHost: {host}\r\n\r\nGET /2 HTTP/1.1\r\nHost: elsewhere.example\r\n"
        b"Connection: close\r\n\r\n",
    )
    assert re.findall(rb"HTTP/1\.1 (\d+)", response) == [b"200", b"421"]
    assert recorder.request_lines == [b"GET /1"]


async def test_a_websocket_the_dev_server_declines_opens_no_tunnel(proxy: Proxy, recorder: Recorder) -> None:
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 777\r\nSec-WebSocket-Key: aaaaaaaaaaaaaaaaaaaaaa==\r\n\r\n"
    )
    through = b"GET /through HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n"
    assert b"HTTP/1.1 421" in await send(proxy, recorder, upgrade + through)
    assert recorder.request_lines == [b"GET /"]


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
BAD_ANSWERS = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 0\r\n\r\n",
    "a space in a header's name": b"HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 0\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 0\r\n\r\n",
    "a head over 16 KB": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 20_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 99 Hm\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 Hm\r\nContent-Length: 0\r\n\r\n",
    "an upgrade nobody asked for": b"HTTP/1.1 101 Hm\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>\r\n\r\n",
}
ODD_ANSWERS = {
    "more than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
    "a length beside chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no content, and content": b"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison",
    "not modified, and content": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison",
}


async def poisoned(start_upstream: StartUpstream, answer: bytes) -> Upstream:
    """Start a dev server that says `answer` and more to what names /bad, on a connection that it keeps."""

    async def respond(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(answer + POISON if b"GET /bad" in head else GOOD)
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")

    return await start_upstream(respond)


@pytest.mark.parametrize("case", BAD_ANSWERS)
async def test_an_answer_that_is_not_http_is_a_502_page(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, case: str
) -> None:
    upstream = await poisoned(start_upstream, BAD_ANSWERS[case])
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        assert (await client.get("/")).text == "good"
        response = await client.get("/bad")
        assert (response.status_code, "The dev server isn't responding" in html.unescape(response.text)) == (502, True)
        assert (await client.get("/")).text == "good"


@pytest.mark.parametrize("case", ODD_ANSWERS)
async def test_what_follows_an_answer_is_nobodys(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, case: str
) -> None:
    upstream = await poisoned(start_upstream, ODD_ANSWERS[case])
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client, proxy.client(session_id) as other:
        assert (await client.get("/")).text == "good"
        assert (await other.get("/")).text == "good"
        assert "poison" not in (await client.get("/bad")).text
        for visitor in (client, other, client, other):
            assert (await visitor.get("/")).text == "good"
