"""The egress proxy as its image starts it, in front of one server that has several names.

Its configuration is changed in what one machine can't give it: its ports, the upstream's port, and names without DNS.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.infrastructure.certificates import self_signed
from tests.kit.http_server import Response, serve_http
from tests.kit.ports import free_ports
from tests.kit.processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.http_server import HttpServer

UNIT = Path(__file__).parents[3] / "egress"
AGENT = "127.0.0.3"
LISTED, BELOW, NOT_LISTED, PRIVATE = "listed.test", "a.below.test", "other.test", "private.listed.test"
ADDRESSES = {LISTED: "127.0.0.1", BELOW: "127.0.0.1", NOT_LISTED: "127.0.0.1", PRIVATE: "127.0.0.2"}
ALLOWED = f"https://{LISTED.title()}/api/v3,{LISTED},.below.test,{PRIVATE},deep.a.below.test,unknown.test"


@dataclass(frozen=True)
class Egress:
    """The running proxy and the server behind it."""

    port: int
    upstream: HttpServer
    authority: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def tunnel(self, host: str, port: int | None = None) -> Iterator[tuple[int, socket.socket]]:
        """The status of a CONNECT, and the connection, which is a tunnel if that is 200."""
        with socket.create_connection(("127.0.0.1", self.port), 10, source_address=(AGENT, 0)) as connection:
            yield self.send(connection, f"CONNECT {host}:{port or self.upstream.port} HTTP/1.1\r\n\r\n"), connection

    @staticmethod
    def send(connection: socket.socket, request: str) -> int:
        """The status of the response to a request."""
        connection.sendall(request.encode())
        return int(connection.recv(65536).split(b" ", 2)[1])

    def status(self, host: str, port: int | None = None) -> int:
        """The status of a CONNECT."""
        with self.tunnel(host, port) as (status, _):
            return status

    def get(self, host: str, name_in_tls: str | None = None) -> bytes:
        """What comes back for a request through a tunnel to `host`, with this name in the handshake."""
        context = ssl.create_default_context(cafile=self.authority)
        context.check_hostname = False
        with self.tunnel(host) as (status, connection):
            assert status == 200
            with context.wrap_socket(connection, server_hostname=name_in_tls) as tls:
                tls.sendall(b"GET / HTTP/1.1\r\nHost: any\r\n\r\n")
                return tls.recv(4096)

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture(scope="session")
def egress() -> Iterator[Egress]:
    program = shutil.which("squid", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not program or "with-openssl" not in _version(program):
        pytest.skip("Debian's squid-openssl isn't installed")
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        certificate, key = self_signed(LISTED, BELOW, NOT_LISTED)
        authority = directory / "authority.pem"
        authority.write_bytes(certificate)
        (directory / "server.pem").write_bytes(certificate + key)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(directory / "server.pem")
        with serve_http(Response(200, b"{}"), tls) as upstream:
            yield from _start(Path(program), directory, upstream, authority)


def _version(program: str) -> str:
    return subprocess.run([program, "-v"], check=True, capture_output=True, text=True).stdout


def _start(program: Path, directory: Path, upstream: HttpServer, authority: Path) -> Iterator[Egress]:
    ports, log = free_ports(), directory / "log"
    unit = shutil.copytree(UNIT, directory / "egress")
    hosts = directory / "hosts"
    hosts.write_text("".join(f"{address} {name}\n" for name, address in ADDRESSES.items()))
    configuration = (unit / "squid.conf").read_text()
    for given, here in {
        "http_port 3128 ": f"http_port 127.0.0.1:{ports.proxy} ",
        "http_port 127.0.0.1:3129 ": f"http_port 127.0.0.1:{ports.model} ",
        "parent 3129 ": f"parent {ports.model} ",
        "acl https port 443": f"acl https port {upstream.port}",
        "shutdown_lifetime 110 seconds": f"shutdown_lifetime 0 seconds\nhosts_file {hosts}",
    }.items():
        assert configuration.count(given) == 1
        configuration = configuration.replace(given, here)
    (unit / "squid.conf").write_text(configuration)
    environment = {
        "EGRESS_ALLOWED": ALLOWED,
        "EGRESS_EXCEPTED": "127.0.0.1/32",
        "PATH": f"{program.parent}:/usr/bin:/bin",
    }

    def healthy() -> bool:
        check = ["bash", str(unit / "healthy.sh"), str(ports.proxy), str(upstream.port)]
        return subprocess.run(check, check=False, env=environment, capture_output=True).returncode == 0

    with running(
        ["sh", unit / "start.sh"], log, healthy, cwd=directory, env=environment, **_user(directory)
    ) as process:
        assert process.poll() is None, log.read_text()
        yield Egress(ports.proxy, upstream, authority, log)


def _user(directory: Path) -> dict[str, Any]:
    """Who runs Squid, which refuses to stay root; the files are that user's then."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("proxy")
    (directory / "log").touch()
    for path in (directory, *directory.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
