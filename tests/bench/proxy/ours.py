"""Our proxy as it is shipped: HAProxy, control plane, and a DynamoDB endpoint with the sessions' rows."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import jwt
from tests.bench.proxy.machine import OTHER_CORE, PROXY_CORE, LoopbackNetwork, Place, program
from tests.bench.proxy.peers import Peer, Site
from tests.bench.proxy.visitor import Target
from tests.integration.proxy.conftest import serve_metadata
from tests.kit.sessions import TABLE, serialized

from cloud_agent.adapters.table.keys import session_key
from cloud_agent_proxy.access.admissions import MOST_ADMISSIONS, key_of
from cloud_agent_proxy.haproxy_program import haproxy_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psutil
    from tests.bench.proxy.upstream import Upstream

DOMAIN = "uat.example.test"
SESSIONS = 30
"""How many are visited in turn: together they may ask for 60,000 pages a second (haproxy.cfg, table `demands`)."""
_SOURCE = Path(__file__).parents[3] / "proxy" / "src"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}
_SIGNING_KEY = secrets.token_hex(32)
_COOKIE_SECONDS = 12 * 3600
_ENTRIES_A_COMMAND = 50  # each has 300 bytes at most, and a command must fit HAProxy's buffer of 16 KB


@contextlib.contextmanager
def dynamodb(network: LoopbackNetwork, folder: Path) -> Iterator[str]:
    """Run a DynamoDB endpoint on the other core; yield its URL.

    Raises:
        NotStartedError: it did not come up.
    """
    place = Place(network.new_address(), 4566)
    environment = {
        "GATEWAY_PORT": str(place.port),
        "BIND_HOST": place.address,
        "PERSIST_STATE": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    ministack = Path(sys.executable).with_name("ministack")
    with program([ministack], [place], folder, core=OTHER_CORE, environment=environment):
        yield f"http://{place}"


class SessionsTable:
    """A sessions table of one proxy's own."""

    def __init__(self, endpoint: str) -> None:
        self.name = f"sessions-{secrets.token_hex(4)}"
        self.endpoint = endpoint
        self._client: Any = boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._client.create_table(TableName=self.name, **TABLE)

    def start_session(self, dev_server: Place) -> str:
        """Write the row of a session that runs, its dev server at `dev_server`; return the session's id."""
        session_id = secrets.token_hex(4)
        row = session_key(session_id) | {
            "status": "RUNNING",
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "repo": "example/shop",
            "branch": f"claude/{session_id}",
            "pull_number": 7,
            "start_token": "reported",
            "preview": {"state": "live", "detail": "", "log": ""},
            "ip": dev_server.address,
            "port": dev_server.port,
        }
        self._client.put_item(TableName=self.name, Item=serialized(row))
        return session_id


@dataclass(frozen=True)
class OurProxy:
    """Our proxy, and the table that it reads."""

    place: Place
    process: psutil.Process
    table: SessionsTable
    folder: Path
    upstream: Upstream
    free_pages: Iterator[Place]

    def new_session(self) -> Target:
        """Start a session that leads to the page."""
        return self._target(self.table.start_session(next(self.free_pages)))

    def peer(self) -> Peer:
        """Start the sessions that stand for this proxy among the peers."""
        streams = [self._target(self.table.start_session(place)) for place in self.upstream.all_streams]
        return Peer([self.new_session() for _ in range(SESSIONS)], streams, self.process)

    def haproxy(self) -> psutil.Process:
        """Return the data plane's own process."""
        return next(child for child in self.process.children() if child.name() == "haproxy")

    def load_map(self, entries: int) -> None:
        """Put that many sessions into HAProxy's map through its runtime API, as if each had been visited.

        Where there is a map of admissions, each gets one there too, as far as the control plane would keep them.
        """
        session_ids = [secrets.token_hex(4) for _ in range(entries)]
        self._add("sessions.map", [(session_id, str(self.upstream.page)) for session_id in session_ids])
        if "admissions.map" in self._ask("show map\n"):
            expiry = str(int(time.time()) + _COOKIE_SECONDS)
            tokens = ((id_, cookie(id_)) for id_ in session_ids[: MOST_ADMISSIONS - SESSIONS])
            self._add("admissions.map", [(key_of(id_, token), f"{expiry}:{token}") for id_, token in tokens])

    def _add(self, name: str, entries: list[tuple[str, str]]) -> None:
        for first in range(0, len(entries), _ENTRIES_A_COMMAND):
            lines = "".join(f"{key} {value}\n" for key, value in entries[first : first + _ENTRIES_A_COMMAND])
            answer = self._ask(f"add map {name} <<\n{lines}\n").strip()
            assert not answer, f"add map {name}: {answer}"

    def _ask(self, command: str) -> str:
        (path,) = self.folder.glob("uat-proxy-*/haproxy.sock")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(command.encode())
            return b"".join(iter(lambda: connection.recv(65_536), b"")).decode()

    def _target(self, session_id: str) -> Target:
        return Target(self.place, f"{session_id}.{DOMAIN}", f"__Host-uat-access={cookie(session_id)}; theme=dark")


def cookie(session_id: str) -> str:
    """Return what admits a visitor to the session, as of this run's start."""
    claims = {"aud": "uat-access", "sub": session_id, "iat": _STARTED_AT, "exp": _STARTED_AT + _COOKIE_SECONDS}
    return jwt.encode(claims, _SIGNING_KEY, "HS256")


_STARTED_AT = int(time.time())


@contextlib.contextmanager
def our_proxy(
    python: Path, network: LoopbackNetwork, upstream: Upstream, endpoint: str, folder: Path
) -> Iterator[OurProxy]:
    """Run the proxy by the given Python with access control on, for visitors who have a link.

    Raises:
        NotStartedError: it did not come up.
    """
    place = Place(network.new_address(), 8080)
    table = SessionsTable(endpoint)
    with serve_metadata() as metadata_url:
        environment = {
            **_CREDENTIALS,
            "PATH": f"{haproxy_program().parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(_SOURCE),
            "AWS_ENDPOINT_URL": endpoint,
            "ECS_CONTAINER_METADATA_URI_V4": f"{metadata_url}/{place.address}",
            "SESSIONS_TABLE": table.name,
            "ARTIFACTS_BUCKET": "artifacts",
            "UAT_DOMAIN": DOMAIN,
            "MAX_SESSIONS": "20",
            "AGENT_CIDR": "127.0.0.0/8",
            "UAT_ACCESS": "link",
            "UAT_ACCESS_KEYS": json.dumps({"signing_key": _SIGNING_KEY, "verifying_key": ""}),
            "UAT_SIGN_IN": "{}",
            "GITHUB_URL": "https://github.com",
            "GITHUB_API_URL": "https://api.github.com",
        }
        argv = [python, "-m", "cloud_agent_proxy"]
        with program(argv, [place], folder, core=PROXY_CORE, environment=environment) as process:
            yield OurProxy(place, process, table, folder, upstream, iter(upstream.pages))


@contextlib.contextmanager
def ours(python: Path, site: Site, endpoint: str, folder: Path) -> Iterator[Peer]:
    """Our proxy as one of the peers."""
    with our_proxy(python, site.network, site.upstream, endpoint, folder) as proxy:
        yield proxy.peer()
