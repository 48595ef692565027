"""The local GitHub as a process of a test's own."""

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
_PAUSE_SECONDS = 0.05


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One run of the program on a data directory; it may be stopped and started again.

    Attributes:
        data_dir: Where it keeps everything.
        port: Where it listens; a free one when it isn't given.
        callback_url: Where its users may be sent back to when they sign in.
    """

    data_dir: Path
    port: int = field(default_factory=_free_port)
    callback_url: str = "http://sign-in.uat.localhost:8080/callback"
    process: subprocess.Popen[bytes] = field(init=False, repr=False)

    @property
    def url(self) -> str:
        """Of pages and of Git."""
        return f"http://localhost:{self.port}"

    @property
    def api_url(self) -> str:
        """Of the REST API."""
        return f"{self.url}/api/v3"

    @property
    def credentials(self) -> dict[str, Any]:
        """The members of `local_github.credentials.Credentials`."""
        return dict(json.loads((self.data_dir / "credentials.json").read_text()))

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start it and return once it answers.

        Raises:
            AssertionError: It ended instead, or does not answer within 30 s.
        """
        command = [sys.executable, "-m", "local_github", "--port", str(self.port)]
        settings = ["--data-dir", str(self.data_dir), "--owner", "acme", "--callback-url", self.callback_url]
        self.process = subprocess.Popen([*command, *settings])  # noqa: S603 - this package
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            try:
                httpx.get(f"{self.api_url}/meta").raise_for_status()
            except httpx.HTTPError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("the local GitHub has ended or does not answer") from error
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def stop(self) -> int:
        """Ask the process to end and return its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(_DEADLINE_SECONDS)
        finally:
            self.process.kill()

    def client(self, token: str) -> httpx.Client:
        """Return a client of the REST API with this token."""
        return httpx.Client(base_url=self.api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def app_jwt(self, **claims: Any) -> str:  # noqa: ANN401 - claims of any type
        """Return a JSON Web Token of the App's, good for 5 min; `claims` replace its own."""
        moment = int(time.time())
        payload = {"iat": moment - 30, "exp": moment + 300, "iss": str(self.credentials["app_id"]), **claims}
        return jwt.encode(payload, self.credentials["private_key_pem"], algorithm="RS256")

    def installation_token(self, **limits: Any) -> str:  # noqa: ANN401 - JSON
        """Return a new token of the App's installation; `limits` are the request's repositories and permissions."""
        path = f"/app/installations/{self.credentials['installation_id']}/access_tokens"
        with self.client(self.app_jwt()) as app:
            return str(app.post(path, json=limits).raise_for_status().json()["token"])
