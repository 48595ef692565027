"""The local GitHub as a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx
import jwt

if TYPE_CHECKING:
    from pathlib import Path

_DEADLINE_SECONDS = 30


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One run of the program on a data directory."""

    data_dir: Path
    port: int = field(default_factory=_free_port)
    callback_url: str = "http://sign-in.uat.localhost:8080/callback"
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v3"

    @property
    def credentials(self) -> dict[str, Any]:
        return dict(json.loads((self.data_dir / "credentials.json").read_text()))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        command = [sys.executable, "-m", "local_github", "--port", str(self.port)]
        settings = ["--data-dir", str(self.data_dir), "--owner", "acme", "--callback-url", self.callback_url]
        self.process = subprocess.Popen([*command, *settings])
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_answers(self) -> None:
        assert self.process
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            try:
                httpx.get(f"{self.api_url}/meta").raise_for_status()
            except httpx.HTTPError:
                assert self.process.poll() is None, "the server has ended"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> int:
        """Ask the process to end and return its exit code."""
        assert self.process
        self.process.terminate()
        try:
            return self.process.wait(_DEADLINE_SECONDS)
        finally:
            self.process.kill()

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=self.api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def app_jwt(self, **claims: Any) -> str:  # noqa: ANN401 - claims of any type
        moment = int(time.time())
        payload = {"iat": moment - 30, "exp": moment + 300, "iss": str(self.credentials["app_id"]), **claims}
        return jwt.encode(payload, self.credentials["private_key_pem"], algorithm="RS256")

    def installation_token(self, **limits: Any) -> str:  # noqa: ANN401 - JSON
        path = f"/app/installations/{self.credentials['installation_id']}/access_tokens"
        with self.client(self.app_jwt()) as app:
            answer = app.post(path, json=limits)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])
