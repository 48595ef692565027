"""A real proxy process, a real HAProxy, a real DynamoDB endpoint; all on this machine's loopback addresses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from aiodynamo.client import Client
from tests.integration.proxy.line import Line
from tests.integration.proxy.visitor import GATED
from tests.kit.http_server import Response, serve_http
from tests.kit.ports import free_port
from tests.kit.processes import running
from tests.kit.raw_server import serve_raw
from tests.kit.sessions import TABLE, serialized

from cloud_agent.adapters.table.keys import session_key
from cloud_agent_proxy.dynamodb import dynamodb_client
from cloud_agent_proxy.settings import Platform
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    import subprocess

    from tests.kit.http_server import Request

DOMAIN = "uat.example.test"
ARTIFACTS_BUCKET = "artifacts"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}
# A loopback network of this test run's own, so that two runs on one machine do not meet.
NETWORK = IPv4Network(f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 60 * 4}.0/22")
_HOSTS = NETWORK.hosts()  # a thousand


def new_address() -> str:
    return str(next(_HOSTS))


def is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - an http address of this test's own
            return bool(response.status == 200)
    except OSError:
        return False


@contextlib.contextmanager
def serve_aws(home: Path) -> Iterator[str]:
    """Run a DynamoDB endpoint with its log in `home`; give its URL."""
    port = free_port()
    environment = {
        **os.environ,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "PERSIST_STATE": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    url, command = f"http://127.0.0.1:{port}", [Path(sys.executable).with_name("ministack")]
    is_up = partial(is_healthy, f"{url}/_ministack/health")
    with running(command, home / "log", is_up, env=environment, cwd=home):
        yield url


@pytest.fixture(scope="session")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_aws(tmp_path_factory.mktemp("ministack")) as url:
        yield url


@dataclass
class SessionsTable:
    name: str
    client: Any

    def put(self, **attributes: object) -> str:
        """Write a session's row; return the session's id."""
        session_id = str(attributes.pop("id", "")) or secrets.token_hex(4)
        row = session_key(session_id) | {"status": "RUNNING", **attributes}
        self.client.put_item(TableName=self.name, Item=serialized(row))
        return session_id

    def last_visited_at(self, session_id: str) -> str | None:
        return self.moment(session_id, "last_visited_at")

    def moment(self, session_id: str, attribute: str) -> str | None:
        key = serialized(session_key(session_id))
        item = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True)["Item"]
        return item[attribute]["S"] if attribute in item else None


OpenDynamodb = Callable[[str], Awaitable[Client]]


@pytest.fixture
async def open_dynamodb(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenDynamodb]:
    """For parts of the proxy that run within the test: the proxy's own client, for any endpoint."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    async with contextlib.AsyncExitStack() as clients:

        async def open_client(endpoint: str) -> Client:
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
            return await clients.enter_async_context(dynamodb_client(Platform()))

        yield open_client


@pytest.fixture
async def dynamodb(open_dynamodb: OpenDynamodb, aws_endpoint: str) -> Client:
    return await open_dynamodb(aws_endpoint)


def create_table(aws_endpoint: str) -> SessionsTable:
    client = boto3.client(
        "dynamodb",
        endpoint_url=aws_endpoint,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    name = f"sessions-{secrets.token_hex(4)}"
    client.create_table(TableName=name, **TABLE)
    return SessionsTable(name, client)


@pytest.fixture(scope="session")
def table(aws_endpoint: str) -> SessionsTable:
    return create_table(aws_endpoint)


@pytest.fixture
def other_table(aws_endpoint: str) -> SessionsTable:
    """A table that no proxy knows."""
    return create_table(aws_endpoint)


@contextlib.contextmanager
def serve_metadata() -> Iterator[str]:
    """An ECS metadata endpoint for any task: the path's last part is the address it reports."""

    def respond(request: Request) -> Response:
        return Response.of({"Networks": [{"IPv4Addresses": [request.path.rpartition("/")[2]]}]})

    with serve_http(respond) as server:
        yield server.url


@pytest.fixture(scope="session")
def metadata_url() -> Iterator[str]:
    with serve_metadata() as url:
        yield url


@dataclass
class Proxy:
    process: subprocess.Popen[bytes]
    address: str
    log_file: Path
    folder: Path

    @property
    def url(self) -> str:
        return f"http://{self.address}:8080"

    def client(self, session_id: str, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        all_headers = {"Host": host_of(session_id)} | (headers or {})
        return httpx.AsyncClient(base_url=self.url, headers=all_headers, trust_env=False, timeout=10)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]

    def haproxy_pid(self) -> int:
        return next(int(line["pid"]) for line in self.log() if line["message"] == "haproxy started")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the control plane; SIGSTOP has stopped all of its threads then."""
        assert self.process.poll() is None, self.log_file.read_text()
        self.process.send_signal(number)
        if number is signal.SIGSTOP:
            threads = [*Path(f"/proc/{self.process.pid}/task").glob("*/stat")]
            eventually(lambda: {one.read_text().rpartition(") ")[2][0] for one in threads} == {"T"})

    async def exchange(self, request: bytes, seconds: float = 5) -> bytes:
        """Send bytes as they are; return all that comes until the proxy closes."""
        reader, writer = await asyncio.open_connection(self.address, 8080)
        try:
            writer.write(request)
            async with asyncio.timeout(seconds):
                return await reader.read()
        finally:
            writer.close()

    async def flood(self, session_id: str, path: str, headers: Iterable[dict[str, str]]) -> list[int]:
        """Ask for a page of a session with each of these headers, and return the statuses.

        All is sent at once on one connection: what's counted within seconds is counted on a busy machine, too.
        """
        asked = [{"Host": host_of(session_id)} | one for one in headers]
        asked[-1] |= {"Connection": "close"}
        requests = ["\r\n".join([f"GET {path} HTTP/1.1", *map(": ".join, one.items()), "", ""]) for one in asked]
        answer = await self.exchange("".join(requests).encode(), seconds=60)
        statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]
        assert len(statuses) == len(requests)
        return statuses


def host_of(session_id: str) -> str:
    return f"{session_id}.{DOMAIN}:8080"


StartProxy = Callable[..., contextlib.AbstractContextManager[Proxy]]


@contextlib.contextmanager
def run_proxy(
    folder: Path, environment: dict[str, str], metadata_url: str, address: str | None = None, stdout: int | None = None
) -> Iterator[Proxy]:
    """Run a proxy with its files and its log in `folder`, on an address of its own."""
    address = address or new_address()
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder),
        **CREDENTIALS,
        "ECS_CONTAINER_METADATA_URI_V4": f"{metadata_url}/{address}",
        "UAT_DOMAIN": DOMAIN,
        "AGENT_CIDR": "127.0.0.0/8",
        "MAX_SESSIONS": "20",
        "ARTIFACTS_BUCKET": ARTIFACTS_BUCKET,
        "UAT_ACCESS": "public",  # what is not about access is tested without
        **environment,
    }
    log, command = folder / "log", [sys.executable, "-m", "cloud_agent_proxy"]
    output = {} if stdout is None else {"stdout": stdout}
    is_up = partial(is_healthy, f"http://{address}:8080/health")
    with running(command, log, is_up, env=environment, cwd=folder, **output) as process:
        yield Proxy(process, address, log, folder)


@pytest.fixture(scope="session")
def start_proxy(
    aws_endpoint: str, table: SessionsTable, metadata_url: str, tmp_path_factory: pytest.TempPathFactory
) -> StartProxy:
    def start(
        endpoint: str = aws_endpoint, address: str | None = None, stdout: int | None = None, **overrides: str
    ) -> contextlib.AbstractContextManager[Proxy]:
        environment = {"AWS_ENDPOINT_URL": endpoint, "SESSIONS_TABLE": table.name, **overrides}
        return run_proxy(tmp_path_factory.mktemp("proxy"), environment, metadata_url, address, stdout)

    return start


@pytest.fixture(scope="session")
def proxy(start_proxy: StartProxy) -> Iterator[Proxy]:
    """The one proxy of all tests that leave it as it was."""
    with start_proxy() as running:
        yield running


@pytest.fixture(scope="session")
def gated(start_proxy: StartProxy) -> Iterator[Proxy]:
    """The same in mode `link`."""
    with start_proxy(**GATED) as running:
        yield running


@pytest.fixture
def unused_address() -> str:
    """An address where nothing listens."""
    return new_address()


@pytest.fixture
def another_unused_address() -> str:
    return new_address()


@dataclass
class Upstream:
    """A dev server made of raw bytes: what it received, and what it says to each request head."""

    address: str
    port: int
    requests: list[bytes] = field(default_factory=list)


Respond = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
StartUpstream = Callable[..., Awaitable[Upstream]]
Text = Callable[..., bytes]
HaproxyCommand = Callable[[Proxy, str], Awaitable[str]]


@pytest.fixture
async def start_upstream() -> AsyncIterator[StartUpstream]:
    """Start dev servers that answer with fixed bytes or with a coroutine function."""
    async with contextlib.AsyncExitStack() as servers:

        async def start(response: bytes | Respond, address: str | None = None, port: int = 3000) -> Upstream:
            upstream = Upstream(address or new_address(), port)

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                head = await reader.readuntil(b"\r\n\r\n")
                upstream.requests.append(head)
                if callable(response):
                    await response(head, reader, writer)
                else:
                    writer.write(response)
                    await writer.drain()

            await servers.enter_async_context(serve_raw(serve, upstream.address, port))
            return upstream

        yield start


@pytest.fixture
def text() -> Text:
    """Build a plain response."""

    def build(body: str, *headers: str) -> bytes:
        lines = "".join(f"{header}\r\n" for header in headers)
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{lines}\r\n{body}".encode()

    return build


@pytest.fixture
async def upstream(start_upstream: StartUpstream, text: Text) -> Upstream:
    """A dev server that says so."""
    return await start_upstream(text("the dev server"))


@pytest.fixture
def session_id(upstream: Upstream, table: SessionsTable) -> str:
    """The session whose dev server it is."""
    return table.put(ip=upstream.address, port=3000)


@pytest.fixture
def haproxy_command() -> HaproxyCommand:
    """Speak to HAProxy behind the control plane's back."""

    async def order(proxy: Proxy, command: str) -> str:
        (path,) = proxy.folder.glob("uat-proxy-*/haproxy.sock")
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(f"{command}\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        return answer

    return order


@pytest.fixture
async def line(aws_endpoint: str) -> AsyncIterator[Line]:
    line = Line(aws_endpoint)
    await line.restore()
    yield line
    await line.cut()
