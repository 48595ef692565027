"""The access log: a line of JSON for every request, whatever bytes it is made of, and no secret in any."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
import websockets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy, StartUpstream, Text
    from websockets.asyncio.server import ServerConnection

FIELDS = {
    *("timestamp", "level", "message", "method", "path", "status", "session_id", "visitor", "upstream"),
    *("request_ms", "connect_ms", "response_ms", "total_ms", "bytes_in", "bytes_out", "termination"),
}
PIPE_TAKES_WHOLE = 4096  # PIPE_BUF of Linux


async def logged(proxy: Proxy, which: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the one line of the access log that is meant, as soon as it is there."""
    async with asyncio.timeout(5):
        while not (lines := [line for line in proxy.log() if line["message"] == "request" and which(line)]):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    (line,) = lines
    return line


@pytest.fixture(scope="module")
def own_proxy(start_proxy: StartProxy) -> Iterator[Proxy]:
    """A proxy with no other requests than a test's own."""
    with start_proxy() as running:
        yield running


async def test_a_request_is_logged_with_all_that_is_known_of_it(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("x" * 1000))
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id, {"X-Forwarded-For": "203.0.113.9"}) as client:
        await client.post("/fine/path", content=b"y" * 500)
    line = await logged(proxy, lambda line: line["session_id"] == session_id)
    assert line.keys() == FIELDS
    expected = {
        "level": "INFO",
        "method": "POST",
        "path": "/fine/path",
        "status": 200,
        "visitor": "203.0.113.9",
        "upstream": f"{upstream.address}:3000",
        "termination": "----",
    }
    assert expected == {name: line[name] for name in expected}
    assert 500 < line["bytes_in"] < 1000 < line["bytes_out"] < 1500
    assert all(0 <= line[name] < 10_000 for name in ("request_ms", "connect_ms", "response_ms", "total_ms"))


async def test_no_query_cookie_or_authorization_is_logged(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text, unused_address: str
) -> None:
    upstream = await start_upstream(text("live", "Set-Cookie: a=hush-1"))
    headers = {
        "Cookie": "__Host-uat-access=hush-2",
        "Authorization": "Bearer hush-3",
        "Referer": "https://x.test/?hush-4",
        "User-Agent": "hush-5",
    }
    for address in (upstream.address, unused_address):
        session_id = table.put(ip=address, port=3000)
        async with proxy.client(session_id, headers) as client:
            await client.get("/enter?token=hush-6#hush-7")
        line = await logged(proxy, lambda line, meant=session_id: line["session_id"] == meant)  # type: ignore[misc]
        assert line["path"] == "/enter"
    host = f"{session_id}.uat.example.test"
    request = f"GET http://{host}/absolute?hush-8 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    await proxy.exchange(request.encode())
    await logged(proxy, lambda line: line["path"] == "/absolute")
    assert "hush" not in proxy.log_file.read_text()


async def test_a_failure_is_found_by_status_and_termination(
    proxy: Proxy, table: SessionsTable, unused_address: str
) -> None:
    session_id = table.put(ip=unused_address, port=3000)
    async with proxy.client(session_id) as client:
        await client.get("/")
    line = await logged(proxy, lambda line: line["session_id"] == session_id)
    assert (line["status"], line["termination"], line["response_ms"]) == (503, "SC--", -1)


async def test_our_own_answers_are_logged(proxy: Proxy) -> None:
    async with proxy.client("0a0a0a0a") as client:
        assert (await client.get("/some/page")).status_code == 404
    line = await logged(proxy, lambda line: line["session_id"] == "0a0a0a0a")
    assert (line["path"], line["status"], line["upstream"]) == ("/some/page", 404, "-")


async def test_health_checks_are_not_logged(start_proxy: StartProxy) -> None:
    with start_proxy() as proxy:
        async with proxy.client("") as client:
            for path in ("/health", "/health/ready", "/elsewhere"):
                await client.get(path, headers={"Host": "10.0.0.7:8080"})
        await logged(proxy, lambda line: line["path"] == "/elsewhere")
        paths = {line["path"] for line in proxy.log() if line["message"] == "request"}
    assert {"/elsewhere"} == paths


async def test_a_websocket_is_logged_when_it_ends(proxy: Proxy, table: SessionsTable, unused_address: str) -> None:
    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    session_id = table.put(ip=unused_address, port=3000)
    async with websockets.serve(hold, unused_address, 3000):
        async with websockets.connect(f"ws://{session_id}.uat.example.test:8080/hmr", host=proxy.address, port=8080):
            assert session_id not in {line.get("session_id") for line in proxy.log() if line["message"] == "request"}
        line = await logged(proxy, lambda line: line["session_id"] == session_id)
    assert (line["path"], line["status"]) == ("/hmr", 101)


@pytest.mark.parametrize(
    ("request_line", "path"),
    [
        (b"GET /a\"b\\c</script>'{}%00%ff HTTP/1.1", "/a\"b\\c</script>'{}%00%ff"),
        (b"GET /" + b'"' * 8000 + b" HTTP/1.1", "/" + '"' * 1023),
        (b"GET /" + b"\\" * 8000 + b" HTTP/1.1", "/" + "\\" * 1023),
        (b"GET /a\x01\x1b[2J\x08b HTTP/1.1", "-"),
        (b"GET /a\xff\xfe\xc3( HTTP/1.1", "-"),
        (b"GET /a\x7f HTTP/1.1", "-"),
        (b'G"T / HTTP/1.1', "-"),
        (b"M" * 6000 + b" /long-method HTTP/1.1", "/long-method"),
        (b'"}\x00\xff{"', "-"),
    ],
)
async def test_the_line_is_json_whatever_the_request_is_made_of(
    own_proxy: Proxy, request_line: bytes, path: str
) -> None:
    before = [line for line in own_proxy.log() if line["message"] == "request"]
    await own_proxy.exchange(request_line + b"\r\nHost: 0a0a0a0a.uat.example.test\r\nConnection: close\r\n\r\n")
    line = await logged(own_proxy, lambda line: line not in before)
    assert path == line["path"]
    assert all(len(text) < PIPE_TAKES_WHOLE for text in own_proxy.log_file.read_bytes().splitlines())


async def test_all_lines_of_a_proxys_life_are_json_with_the_same_three_fields(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("live"))
    with start_proxy() as proxy:
        async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
            await client.get("/")
        proxy.signal(signal.SIGTERM)
        assert await asyncio.to_thread(proxy.process.wait, 10) == 0
        lines = proxy.log()
    assert {"request", "route assigned", "drain finished"} <= {line["message"] for line in lines}
    for line in lines:
        assert line["level"] in {"INFO", "WARNING"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["timestamp"])


async def test_nobody_waits_for_a_log_that_nobody_reads(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("live"))
    session_id = table.put(ip=upstream.address, port=3000)
    read_end, write_end = os.pipe()
    written: list[bytes] = []

    def read() -> None:
        with os.fdopen(read_end, "rb") as log:
            written.extend(log)

    reader = threading.Thread(target=read)
    try:
        with start_proxy(stdout=write_end) as proxy:
            os.close(write_end)
            async with proxy.client(session_id) as client:
                for _ in range(300):  # of some 400 bytes each; a pipe holds 64 KB
                    assert (await client.get("/" + "x" * 100)).status_code == 200
            reader.start()
        messages = [json.loads(line)["message"] for line in written]
        assert 100 < messages.count("request") < 300
    finally:
        if reader.ident is None:
            os.close(read_end)
        else:
            reader.join(10)
    assert "drain finished" in messages
