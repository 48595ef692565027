"""The embedded AWS as a process of a test's own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import boto3
import httpx
from botocore.config import Config

from embedded_aws.settings import HOST, REGION
from embedded_aws.testing.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

_START_SECONDS = 30
_STOP_SECONDS = 20


@dataclass
class EmbeddedAwsProcess:
    """One embedded AWS, on a free port and with its state below one directory.

    Attributes:
        directory: Holds `state`, `logs` and what the process prints, `out` and `err`.
        arguments: Further arguments of its command line.
        host_environment: Variables of the host besides PATH; none of them reaches a function or a container.
    """

    directory: Path
    arguments: list[str] = field(default_factory=list)
    host_environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Name the directories; nothing is started yet."""
        self.log_dir = self.directory / "logs"
        self.state_dir = self.directory / "state"
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start it on a port that is free now, and return once its APIs answer.

        Raises:
            AssertionError: It ended instead, with what it printed, or does not answer within 30 s.
        """
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        command = [sys.executable, "-m", "embedded_aws", "--port", str(self.port)]
        command += ["--state-dir", str(self.state_dir), "--log-dir", str(self.log_dir), *self.arguments]
        self.directory.mkdir(parents=True, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], **self.host_environment}
        with (self.directory / "out").open("ab") as out, (self.directory / "err").open("ab") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)  # noqa: S603 - this package
        self._clients.clear()
        try:
            eventually(self._is_ready, _START_SECONDS)
        except BaseException:
            self.process.kill()
            raise

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError((self.directory / "err").read_text())
        try:
            return httpx.get(f"{self.url}/_ministack/health").is_success
        except httpx.TransportError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal if it runs, wait for its end and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(_STOP_SECONDS)
        finally:
            self.process.kill()

    def log(self) -> str:
        """Return all that it has printed so far."""
        return "".join((self.directory / name).read_text(errors="replace") for name in ("out", "err"))

    def client(self, service: str) -> Any:  # noqa: ANN401 - a client of whatever service
        """Return a boto3 client that tries each request once."""
        if service not in self._clients:
            make_client: Any = boto3.client  # whose stubs want a literal name
            self._clients[service] = make_client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106 - any key will do
                config=Config(max_pool_connections=50, retries={"max_attempts": 0}, read_timeout=40),
            )
        return self._clients[service]
