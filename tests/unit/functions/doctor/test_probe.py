"""A probe that something other than the proxy responds to, or nothing does."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from tests.kit.http_server import NoResponse, Response, serve_http
from tests.kit.own_certificate import own_certificate
from tests.kit.ports import free_port
from tests.kit.raw_server import serve_raw

from cloud_agent_doctor import probe
from cloud_agent_doctor.probe import SessionProbe, probe_session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.http_server import Request

TOKEN = "very-secret"
LIVE = b'{"error": null, "title": "The session is live", "live": true}'


@pytest.mark.parametrize("body", [b"<h1>503 Service Temporarily Unavailable</h1>", b'{"live": true}', b"[1]", b""])
def test_an_answer_that_is_not_the_proxys_is_reported_by_its_status(body: bytes) -> None:
    with serve_http(Response(503, body)) as server:
        assert SessionProbe(503) == probe_session(server.url)


def test_a_name_under_localhost_is_this_machine_whatever_the_resolver_knows() -> None:
    with serve_http(Response(200, LIVE)) as server:
        seen = probe_session(f"http://09e22a8b.uat.localhost:{server.port}")
    (request,) = server.requests
    assert (request.headers["Host"], request.path) == (f"09e22a8b.uat.localhost:{server.port}", "/.uat/status")
    assert seen.document is not None
    assert seen.document["live"]


def test_the_cookies_that_a_link_leaves_are_sent_and_its_redirect_is_not_followed() -> None:
    one, other = ("Set-Cookie", "__Host-a=1; Path=/; Secure; HttpOnly"), ("Set-Cookie", "b=2; Max-Age=60")

    def respond(request: Request) -> Response:
        is_link = request.path.startswith("/.uat/enter")
        return Response(303, headers=[("Location", "/elsewhere"), one, other]) if is_link else Response(200, LIVE)

    with serve_http(respond) as server:
        assert probe_session(server.url, f"{server.url}/.uat/enter?token={TOKEN}").document is not None
    assert [request.headers["Cookie"] for request in server.requests] == [None, "__Host-a=1; b=2"]


def test_what_answers_a_link_with_no_redirect_is_where_the_probe_ends() -> None:
    with serve_http(Response(404, b"no rule")) as server:
        assert SessionProbe(404) == probe_session(server.url, f"{server.url}/.uat/enter?token={TOKEN}")


def test_a_port_where_nobody_listens_is_no_connection() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    seen = probe_session(url, f"{url}/.uat/enter?token={TOKEN}")
    assert seen.status == 0
    assert "connection refused" in seen.error
    assert TOKEN not in repr(seen)


def test_a_name_without_an_address_is_reported() -> None:
    assert SessionProbe(error="the name doesn't resolve") == probe_session("http://09e22a8b.invalid")


def test_a_timeout_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "READ_SECONDS", 0.1)
    with serve_http(NoResponse.HANG) as server:
        assert probe_session(server.url).error.endswith("no response within 0.1 s")


async def test_what_is_not_http_is_reported() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    async with serve_raw(greet) as port:
        seen = await asyncio.to_thread(probe_session, f"http://127.0.0.1:{port}")
    assert "isn't HTTP" in seen.error


def test_an_untrusted_certificate_is_reported(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own_certificate(tmp_path))
    with serve_http(Response(200, LIVE), tls) as server:
        expected = SessionProbe(error="the TLS certificate was rejected")
        assert expected == probe_session(f"https://127.0.0.1:{server.port}")
