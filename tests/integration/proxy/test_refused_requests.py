"""What no browser behind the load balancer sends, and what nobody may be led to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import (
        HaproxyCommand,
        Proxy,
        SessionsTable,
        StartProxy,
        StartUpstream,
        Text,
        Upstream,
    )

    SessionHost = tuple[Upstream, bytes]


@pytest.fixture
async def session_host(start_upstream: StartUpstream, table: SessionsTable, text: Text) -> SessionHost:
    """A session whose dev server says `reached`; the test looks at what it received."""
    upstream = await start_upstream(text("reached"))
    session_id = table.put(ip=upstream.address, port=3000)
    return upstream, f"{session_id}.uat.example.test".encode()


REFUSED = {
    "two lengths": (400, b"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
    "a signed length": (400, b"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: +4\r\n\r\nabcd"),
    "an unknown coding": (400, b"POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "chunked twice": (
        400,
        b"POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ),
    "a space before the colon": (
        400,
        b"POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunks in HTTP/1.0": (400, b"POST / HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two hosts": (400, b"GET / HTTP/1.1\r\nHost: {host}\r\nHost: 00000000.uat.example.test\r\n\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "a host with a user": (400, b"GET / HTTP/1.1\r\nHost: a@{host}\r\n\r\n"),
    "a host with half a port": (400, b"GET / HTTP/1.1\r\nHost: {host}:80a\r\n\r\n"),
    "a host with a path": (400, b"GET / HTTP/1.1\r\nHost: {host}/x\r\n\r\n"),
    "an absolute address": (400, b"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "an absolute address elsewhere": (400, b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "TRACE": (405, b"TRACE / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    "CONNECT": (405, b"CONNECT {host}:80 HTTP/1.1\r\nHost: {host}:80\r\nConnection: close\r\n\r\n"),
    "an HTTP/2 preface": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another upgrade": (400, b"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: upgrade\r\nUpgrade: TLS/1.0\r\n\r\n"),
    "a head over 16 KB": (400, b"GET / HTTP/1.1\r\nHost: {host}\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n"),
    "a control character": (400, b"GET /\x00 HTTP/1.1\r\nHost: {host}\r\n\r\n"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_it_is_refused_before_it_reaches_a_dev_server(proxy: Proxy, session_host: SessionHost, case: str) -> None:
    upstream, host = session_host
    status, request = REFUSED[case]
    response = await proxy.exchange(request.replace(b"{host}", host))
    assert f"HTTP/1.1 {status}" == response[:12].decode()
    assert [] == upstream.requests


async def test_a_length_beside_chunks_is_dropped_and_the_connection_closed(
    proxy: Proxy, session_host: SessionHost
) -> None:
    upstream, host = session_host
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    response = await proxy.exchange(
        b"POST / HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n" + smuggled
    )
    assert 1 == response.count(b"HTTP/1.1 ")
    assert b"connection: close" in response
    assert 1 == len(upstream.requests)
    assert b"content-length" not in upstream.requests[0]


async def test_an_h2c_upgrade_never_leaves_http_1(proxy: Proxy, session_host: SessionHost) -> None:
    upstream, host = session_host
    response = await proxy.exchange(
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
    )
    assert b"HTTP/1.1 200 OK" in response
    assert b"upgrade" not in upstream.requests[0].lower()
    assert b"http2-settings" not in upstream.requests[0].lower()


FORBIDDEN_PLACES = [("169.254.169.254", 3000), ("169.254.170.2", 3000), ("8.8.8.8", 3000), ("127.0.0.1", 22)]


@pytest.mark.parametrize(("ip", "port"), FORBIDDEN_PLACES)
async def test_a_row_cannot_lead_a_visitor_out_of_the_agents_network(
    proxy: Proxy, table: SessionsTable, ip: str, port: int
) -> None:
    async with proxy.client(table.put(ip=ip, port=port)) as client:
        assert 502 == (await client.get("/latest/meta-data")).status_code
    assert not [line for line in proxy.log() if f"{ip}:{port}" == line.get("address")]


async def test_haproxy_itself_refuses_what_the_map_should_never_hold(
    start_proxy: StartProxy,
    start_upstream: StartUpstream,
    table: SessionsTable,
    text: Text,
    haproxy_command: HaproxyCommand,
) -> None:
    upstream = await start_upstream(text("reached"))
    with start_proxy(AGENT_CIDR=f"{upstream.address}/32") as narrow:
        inside = table.put(ip=upstream.address, port=3000)
        async with narrow.client(inside) as client:
            assert "reached" == (await client.get("/")).text
        for address in ("127.0.0.1:3000", "169.254.169.254:3000", f"{upstream.address}:80", "nonsense"):
            await haproxy_command(narrow, f"del map sessions.map {inside}")
            await haproxy_command(narrow, f"add map sessions.map {inside} {address}")
            async with narrow.client(inside) as client:
                assert 502 == (await client.get("/")).status_code


async def test_haproxy_itself_refuses_link_local_even_in_a_network_that_holds_it(
    start_proxy: StartProxy, table: SessionsTable, haproxy_command: HaproxyCommand
) -> None:
    with start_proxy(AGENT_CIDR="0.0.0.0/0") as wide:
        session_id = table.put(ip="169.254.169.254", port=3000)
        await haproxy_command(wide, f"add map sessions.map {session_id} 169.254.169.254:3000")
        async with wide.client(session_id) as client:
            response = await client.get("/latest/meta-data")
        # The control plane's own page names the session; HAProxy's, after an attempt, could not.
        assert (502, True) == (response.status_code, session_id in response.text)
