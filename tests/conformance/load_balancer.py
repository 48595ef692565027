"""What stands between the internet and the proxy: TLS and HTTP/2 end here, as at the Application Load Balancer."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.kit.processes import running

from cloud_agent_proxy.haproxy_program import haproxy_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORT = 8443
# The listener's own headers are those that the load balancer adds. A WebSocket comes over HTTP/1.1, as from there.
_CONFIGURATION = """
global
    h2-workaround-bogus-websocket-clients
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    option http-no-delay
listen load_balancer
    bind {address}:{port} ssl crt {certificate} alpn h2,http/1.1
    option forwardfor
    http-request set-header X-Forwarded-Proto https
    http-request set-header X-Forwarded-Port 443
    server proxy {proxy}
"""


@contextlib.contextmanager
def load_balancer(domain: str, address: str, proxy: str, folder: Path) -> Iterator[None]:
    """Serve https for every host below `domain` at `address`, and pass it to the proxy at `proxy` (`ip:port`)."""
    certificate, configuration = folder / "certificate.pem", folder / "haproxy.cfg"
    certificate.write_bytes(_certificate(f"*.{domain}"))
    configuration.write_text(
        _CONFIGURATION.format(address=address, port=PORT, certificate=certificate, proxy=proxy), encoding="ascii"
    )
    with running([haproxy_program(), "-db", "-f", configuration], folder / "log", lambda: _listens(address)):
        yield


def _listens(address: str) -> bool:
    with contextlib.suppress(OSError), contextlib.closing(socket.create_connection((address, PORT), 1)):
        return True
    return False


def _certificate(name: str) -> bytes:
    """Return a key and its own certificate for one day."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
