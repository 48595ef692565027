"""The real server process, a receiver of its webhooks, and clients of both kinds."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from emulators.github.tests.integration.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

_DEADLINE_SECONDS = 15


@dataclass
class Delivery:
    """One webhook as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        return self.headers["x-github-event"]

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Receiver:
    """An endpoint for webhooks that keeps them all and answers with `status`."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.status = 200
        self._arrived = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver._arrived:
                    receiver.deliveries.append(Delivery(headers, body))
                    receiver._arrived.notify_all()
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"

    def wait_for(self, event: str, action: str | None = None, times: int = 1, **where: Any) -> Delivery:  # noqa: ANN401 - JSON
        """Return the delivery of that event and action, once it has come that many times."""

        def matches(delivery: Delivery) -> bool:
            payload = delivery.payload
            wanted = {"action": action, **where} if action else where
            return delivery.event == event and all(payload.get(name) == value for name, value in wanted.items())

        def found() -> list[Delivery]:
            return [delivery for delivery in self.deliveries if matches(delivery)]

        with self._arrived:
            come = self._arrived.wait_for(lambda: len(found()) >= times, _DEADLINE_SECONDS)
        seen = [(delivery.event, delivery.payload.get("action")) for delivery in self.deliveries]
        assert come, f"no {event} {action}; there were {seen}"
        return found()[times - 1]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("github")) as running:
        yield running


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, which it may stop and start."""
    with Server(tmp_path / "github") as running:
        yield running


@pytest.fixture
def receiver(server: Server) -> Iterator[Receiver]:
    """A receiver to which the server sends its webhooks for the time of the test."""
    receiving = Receiver()
    thread = threading.Thread(target=receiving.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    app = server.client(server.app_jwt())
    try:
        app.patch("/app/hook/config", json={"url": receiving.url}).raise_for_status()
        receiving.wait_for("ping")
        yield receiving
    finally:
        app.patch("/app/hook/config", json={"url": ""})
        app.close()
        receiving.server.shutdown()
        receiving.server.server_close()
        thread.join()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """REST as the person `octo-dev`."""
    with server.client(server.credentials["token"]) as client:
        yield client


@pytest.fixture
def new_repository(api: httpx.Client, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Make repositories of the organization and return owner/name."""

    def make(**settings: Any) -> str:  # noqa: ANN401 - JSON
        name = f"{request.node.originalname[:60]}-{uuid.uuid4().hex[:8]}"
        answer = api.post("/orgs/acme/repos", json={"name": name, "auto_init": True, **settings})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["full_name"])

    return make


@pytest.fixture
def repo(new_repository: Callable[..., str]) -> str:
    """A public repository with one commit on main."""
    return new_repository()


@pytest.fixture
def branch_with_commit(api: httpx.Client, repo: str) -> Callable[[str], str]:
    """Make a branch one empty commit ahead of main and return that commit."""

    def make(branch: str) -> str:
        main = api.get(f"/repos/{repo}/git/ref/heads/main").json()["object"]["sha"]
        tree = api.get(f"/repos/{repo}/git/commits/{main}").json()["tree"]["sha"]
        commit = {"message": f"start {branch}", "tree": tree, "parents": [main]}
        sha = api.post(f"/repos/{repo}/git/commits", json=commit).json()["sha"]
        answer = api.post(f"/repos/{repo}/git/refs", json={"ref": f"refs/heads/{branch}", "sha": sha})
        assert answer.status_code == 201, answer.text
        return str(sha)

    return make


@dataclass
class Git:
    """The newcomer's git, with a clean environment and one working folder."""

    folder: Path
    server: Server

    def url(self, repo: str, token: str | None = None) -> str:
        credential = f"x-access-token:{token}@" if token else ""
        return f"http://{credential}localhost:{self.server.port}/{repo}.git"

    def run(self, *arguments: str, folder: str = ".", fails: bool = False) -> str:
        identity = {
            f"GIT_{role}_{name}": f"{role.lower()}@example.com"
            for role in ("AUTHOR", "COMMITTER")
            for name in ("NAME", "EMAIL")
        }
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "LANG": "C.UTF-8",
            **identity,
        }
        ended = subprocess.run(
            ["git", *arguments],
            cwd=self.folder / folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert fails == (ended.returncode != 0), ended.stderr
        return ended.stderr if fails else ended.stdout.strip()


@pytest.fixture
def git(tmp_path: Path, server: Server) -> Git:
    return Git(tmp_path, server)
