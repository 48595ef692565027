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

pytestmark = pytest.mark.security


@pytest.fixture
async def session_host(start_upstream: StartUpstream, table: SessionsTable, text: Text) -> SessionHost:
    """A session whose dev server says `reached`; the test looks at what it received."""
    upstream = await start_upstream(text("reached"))
    session_id = table.put(ip=upstream.address, port=3000)
    return upstream, f"{session_id}.uat.example.test".encode()


REFUSED = {
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "an empty host": (400, b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    "a host with half a port": (400, b"GET / HTTP/1.1\r\nHost: {host}:80a\r\n\r\n"),
    "a host with no port after the colon": (400, b"GET / HTTP/1.1\r\nHost: {host}:\r\n\r\n"),
    "a host with two ports": (400, b"GET / HTTP/1.1\r\nHost: {host}:80:80\r\n\r\n"),
    "a host with port 0": (400, b"GET / HTTP/1.1\r\nHost: {host}:0\r\n\r\n"),
    "a host with port 65536": (400, b"GET / HTTP/1.1\r\nHost: {host}:65536\r\n\r\n"),
    "a host with port 99999": (400, b"GET / HTTP/1.1\r\nHost: {host}:99999\r\n\r\n"),
    "a host with an escape": (400, b"GET / HTTP/1.1\r\nHost: 09e22a8b%2euat.example.test\r\n\r\n"),
    "a host with an underscore": (400, b"GET / HTTP/1.1\r\nHost: a_b.uat.example.test\r\n\r\n"),
    "an IPv6 host": (400, b"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"),
    "an absolute address": (400, b"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "TRACE": (405, b"TRACE / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "trace": (405, b"trace / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "TRACK": (405, b"TRACK / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "CONNECT": (405, b"CONNECT {host}:80 HTTP/1.1\r\nHost: {host}:80\r\n\r\n"),
    "connect": (405, b"connect / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    "an HTTP/2 preface": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another upgrade": (400, b"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: upgrade\r\nUpgrade: TLS/1.0\r\n\r\n"),
    "an address of 13 KB": (414, b"GET /" + b"a" * 13_000 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n"),
}


# HAProxy closes before these become a request that rules, and pages, are about: the first three since its release 3.0,
# which the image has. 15 KB is what a head may have.
NOT_UNDERSTOOD = {
    "an absolute address of another kind": b"GET file:///etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a name for a path": b"GET evil.example HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "an asterisk for a path": b"GET * HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: {host}\r\nHost: 00000000.uat.example.test\r\n\r\n",
    "the same host twice in a line": b"GET / HTTP/1.1\r\nHost: {host}, {host}\r\n\r\n",
    "a host with a user": b"GET / HTTP/1.1\r\nHost: a@{host}\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: {host}/x\r\n\r\n",
    "a host with a query": b"GET / HTTP/1.1\r\nHost: {host}?x\r\n\r\n",
    "a host with a space": b"GET / HTTP/1.1\r\nHost: {host} x\r\n\r\n",
    "a host with a NUL": b"GET / HTTP/1.1\r\nHost: {host}\x00\r\n\r\n",
    "a host beyond ASCII": "GET / HTTP/1.1\r\nHost: b\xfccher.uat.example.test\r\n\r\n".encode(),
    "an absolute address elsewhere": b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "an address that is all of 16 KB": b"GET /" + b"a" * 16_384 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a head over 16 KB": b"GET / HTTP/1.1\r\nHost: {host}\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n",
    "16 KB of cookies": b"GET / HTTP/1.1\r\nHost: {host}\r\n" + b"Cookie: a=b\r\n" * 1300 + b"\r\n",
    "more than 100 headers": b"GET / HTTP/1.1\r\nHost: {host}\r\n" + b"X-A: b\r\n" * 101 + b"\r\n",
}


@pytest.mark.parametrize("case", NOT_UNDERSTOOD)
async def test_what_cannot_be_understood_goes_nowhere(proxy: Proxy, session_host: SessionHost, case: str) -> None:
    upstream, host = session_host
    response = await proxy.exchange(NOT_UNDERSTOOD[case].replace(b"{host}", host))
    assert response[:12] == b"HTTP/1.1 400"
    assert upstream.requests == []


@pytest.mark.parametrize("case", REFUSED)
async def test_it_is_refused_before_it_reaches_a_dev_server_by_a_page_of_ours(
    proxy: Proxy, session_host: SessionHost, case: str
) -> None:
    upstream, host = session_host
    status, request = REFUSED[case]
    response = await proxy.exchange(request.replace(b"{host}", host))  # which returns when the connection is closed
    assert f"HTTP/1.1 {status}" == response[:12].decode()
    assert upstream.requests == []
    head, _, body = response.partition(b"\r\n\r\n")
    assert b"content-type: text/html; charset=utf-8\r\n" in head.lower()
    assert b"content-security-policy: default-src 'none'" in head.lower()
    assert b"Claude Cloud Agent" in body


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1",
        b"localhost:3000",
        b"{host}.",
        b"{host}.evil.example",
        b"x{host}",
        b"x.{host}",
        b"00000000xuat.example.test",
        b"..",
    ],
)
async def test_a_name_that_is_no_sessions_leads_to_none(proxy: Proxy, session_host: SessionHost, host: bytes) -> None:
    upstream, name = session_host
    response = await proxy.exchange(
        b"GET / HTTP/1.1\r\nHost: " + host.replace(b"{host}", name) + b"\r\n"
        b"X-Forwarded-Host: " + name + b"\r\nConnection: close\r\n\r\n"
    )
    assert response[:12] in {b"HTTP/1.1 421", b"HTTP/1.1 404"}
    assert upstream.requests == []


async def test_an_address_of_8_kb_passes_and_so_does_options_of_everything(
    proxy: Proxy, session_host: SessionHost
) -> None:
    upstream, host = session_host
    long = b"/" + b"a" * 8192
    for request_line in (b"GET " + long, b"OPTIONS *"):
        await proxy.exchange(request_line + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert [b"GET " + long + b" HTTP/1.1", b"OPTIONS * HTTP/1.1"] == [
        request.partition(b"\r\n")[0] for request in upstream.requests
    ]


FORGED = [
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server"),
    *("X_Forwarded_For", "X_Forwarded_Proto", "X_Forwarded_Host", "X-Forwarded_For", "X_Forwarded-Port"),
    *("X-Real-IP", "X_Real_IP", "Forwarded", "Proxy", "Proxy-Connection", "Proxy-Authorization", "Keep-Alive"),
]


@pytest.mark.parametrize("name", FORGED)
async def test_who_asks_is_the_load_balancers_word_alone(proxy: Proxy, session_host: SessionHost, name: str) -> None:
    """It appends the address it sees, so only the last counts, whatever stands before it or elsewhere."""
    upstream, host = session_host
    await proxy.exchange(
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n" + name.encode() + b": 6.6.6.6\r\n"
        b"X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
    )
    (seen,) = upstream.requests
    assert b"6.6.6.6" not in seen
    assert b"_" not in seen.partition(b"\r\n")[2]
    assert seen.count(b"x-forwarded-for: 203.0.113.9\r\n") == 1
    assert seen.count(b"x-forwarded-host: " + host + b"\r\n") == 1
    assert seen.count(b"x-forwarded-proto: https\r\n") == 1


async def test_a_scheme_said_twice_is_nobodys_word(proxy: Proxy, session_host: SessionHost) -> None:
    upstream, host = session_host
    await proxy.exchange(
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n"
        b"Connection: close\r\n\r\n"
    )
    assert b"x-forwarded-proto: http\r\n" in upstream.requests[0]


@pytest.mark.parametrize("upgrade", [b"Upgrade: websocket, h2c", b"Upgrade: websocket\r\nUpgrade: h2c"])
async def test_of_several_upgrades_only_the_websocket_is_offered(
    proxy: Proxy, session_host: SessionHost, upgrade: bytes
) -> None:
    upstream, host = session_host
    await proxy.exchange(
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: Upgrade\r\n" + upgrade + b"\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: aaaaaaaaaaaaaaaaaaaaaa==\r\n\r\n"
        b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n"
    )
    assert b"upgrade: websocket\r\n" in upstream.requests[0]
    assert b"h2c" not in upstream.requests[0]


async def test_a_later_version_of_http_1_is_spoken_as_1_1(proxy: Proxy, session_host: SessionHost) -> None:
    upstream, host = session_host
    await proxy.exchange(b"GET / HTTP/1.2\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert upstream.requests[0].startswith(b"GET / HTTP/1.1\r\n")


async def test_the_dev_servers_own_headers_are_left_alone(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    """Our pages' security headers are ours: a dev server without them works as on the visitor's own machine."""
    own = {"server": "dev", "x-frame-options": "SAMEORIGIN", "content-security-policy": "default-src *"}
    for headers in ({}, own):
        upstream = await start_upstream(text("app", *(f"{name}: {value}" for name, value in headers.items())))
        async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
            assert {"content-length": "3", **headers} == dict((await client.get("/")).headers)


async def test_an_h2c_upgrade_never_leaves_http_1(proxy: Proxy, session_host: SessionHost) -> None:
    upstream, host = session_host
    response = await proxy.exchange(
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
    )
    assert b"HTTP/1.1 200 OK" in response
    assert b"upgrade" not in upstream.requests[0].lower()
    assert b"http2-settings" not in upstream.requests[0].lower()


FORBIDDEN_PLACES = [
    ("169.254.169.254", 3000),
    ("169.254.170.2", 3000),
    ("8.8.8.8", 3000),
    ("0.0.0.0", 3000),  # noqa: S104 - an address that must not be gone to
    ("224.0.0.1", 3000),
    ("255.255.255.255", 3000),
    ("127.0.0.1", 22),
    ("127.0.0.1", 0),
    ("127.0.0.1", 65_536),
]


@pytest.mark.parametrize(("ip", "port"), FORBIDDEN_PLACES)
async def test_a_row_cannot_lead_a_visitor_out_of_the_agents_network(
    proxy: Proxy, table: SessionsTable, ip: str, port: int
) -> None:
    async with proxy.client(table.put(ip=ip, port=port)) as client:
        assert (await client.get("/latest/meta-data")).status_code == 502
    assert not [line for line in proxy.log() if f"{ip}:{port}" == line.get("address")]


@pytest.mark.parametrize("ip", ["::1", "::ffff:169.254.169.254", "localhost", "127.1", "0x7f.1", "127.0.0.1:22", ""])
async def test_what_is_no_ipv4_address_is_no_place(proxy: Proxy, table: SessionsTable, ip: str) -> None:
    session_id = table.put(ip=ip, port=3000)
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).status_code == 404
    said = {line["message"] for line in proxy.log() if session_id == line.get("session_id")}
    assert "session row not understood" in said
    assert "route assigned" not in said


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
            assert (await client.get("/")).text == "reached"
        for address in (
            *("127.0.0.1:3000", "169.254.169.254:3000", "0.0.0.0:3000", "224.0.0.1:3000", "[::1]:3000", "nonsense"),
            *(f"{upstream.address}:80", f"{upstream.address}:65536", f"{upstream.address}", f"{upstream.address}:"),
        ):
            await haproxy_command(narrow, f"del map sessions.map {inside}")
            await haproxy_command(narrow, f"add map sessions.map {inside} {address}")
            async with narrow.client(inside) as client:
                assert (await client.get("/")).status_code == 502


async def test_haproxy_itself_refuses_link_local_even_in_a_network_that_holds_it(
    start_proxy: StartProxy, table: SessionsTable, haproxy_command: HaproxyCommand
) -> None:
    with start_proxy(AGENT_CIDR="0.0.0.0/0") as wide:
        session_id = table.put(ip="169.254.169.254", port=3000)
        await haproxy_command(wide, f"add map sessions.map {session_id} 169.254.169.254:3000")
        async with wide.client(session_id) as client:
            response = await client.get("/latest/meta-data")
        # The control plane's own page names the session; HAProxy's, after an attempt, could not.
        assert (response.status_code, session_id in response.text) == (502, True)
