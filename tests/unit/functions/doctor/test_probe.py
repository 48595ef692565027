"""A probe that something other than the proxy responds to, or nothing does."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.unit.functions.doctor.loopback import sending, serving

from cloud_agent_doctor import probe
from cloud_agent_doctor.probe import SessionProbe, probe_session

if TYPE_CHECKING:
    import http.server
    from pathlib import Path

TOKEN = "very-secret"
LIVE = b'{"error": null, "title": "The session is live", "live": true}'


@pytest.mark.parametrize("body", [b"<h1>503 Service Temporarily Unavailable</h1>", b'{"live": true}', b"[1]", b""])
def test_an_answer_that_is_not_the_proxys_is_reported_by_its_status(body: bytes) -> None:
    with serving(sending(503, body)) as port:
        assert SessionProbe(503) == probe_session(f"http://127.0.0.1:{port}")


def test_a_name_under_localhost_is_this_machine_whatever_the_resolver_knows() -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        asked.append((request.headers["Host"], request.path))
        sending(200, LIVE)(request)

    with serving(answer) as port:
        seen = probe_session(f"http://09e22a8b.uat.localhost:{port}")
        assert [(f"09e22a8b.uat.localhost:{port}", "/.uat/status")] == asked
    assert seen.document is not None
    assert seen.document["live"]


def test_the_cookies_that_a_link_leaves_are_sent_and_its_redirect_is_not_followed() -> None:
    cookies: list[str | None] = []

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        cookies.append(request.headers["Cookie"])
        if request.path.startswith("/.uat/enter"):
            one, other = ("Set-Cookie", "__Host-a=1; Path=/; Secure; HttpOnly"), ("Set-Cookie", "b=2; Max-Age=60")
            sending(303, b"", ("Location", "/elsewhere"), one, other)(request)
        else:
            sending(200, LIVE)(request)

    with serving(answer) as port:
        url = f"http://127.0.0.1:{port}"
        assert probe_session(url, f"{url}/.uat/enter?token={TOKEN}").document is not None
    assert cookies == [None, "__Host-a=1; b=2"]


def test_what_answers_a_link_with_no_redirect_is_where_the_probe_ends() -> None:
    with serving(sending(404, b"no rule")) as port:
        url = f"http://127.0.0.1:{port}"
        assert SessionProbe(404) == probe_session(url, f"{url}/.uat/enter?token={TOKEN}")


def test_a_port_where_nobody_listens_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    seen = probe_session(url, f"{url}/.uat/enter?token={TOKEN}")
    assert seen.status == 0
    assert "connection refused" in seen.error
    assert TOKEN not in repr(seen)


def test_a_name_without_an_address_is_reported() -> None:
    assert SessionProbe(error="the name doesn't resolve") == probe_session("http://09e22a8b.invalid")


def test_a_timeout_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "READ_SECONDS", 0.1)
    over = threading.Event()

    def stay_silent(_: http.server.BaseHTTPRequestHandler) -> None:
        over.wait(5)

    with serving(stay_silent) as port:
        try:
            assert probe_session(f"http://127.0.0.1:{port}").error.endswith("no response within 0.1 s")
        finally:
            over.set()


def test_what_is_not_http_is_reported() -> None:
    def greet(request: http.server.BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    with serving(greet) as port:
        assert "isn't HTTP" in probe_session(f"http://127.0.0.1:{port}").error


def test_an_untrusted_certificate_is_reported(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    pem = tmp_path / "certificate.pem"
    pem.write_bytes(
        made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with serving(sending(200, LIVE), tls) as port:
        assert SessionProbe(error="the TLS certificate was rejected") == probe_session(f"https://127.0.0.1:{port}")
