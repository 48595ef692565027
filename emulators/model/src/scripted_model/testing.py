"""The scripted model for tests: as a process of their own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = "127.0.0.1"
_DEADLINE_SECONDS = 15
_PAUSE_SECONDS = 0.05


@contextmanager
def running() -> Iterator[str]:
    """Serve the scripted model on a free port until the block is left; gives its URL.

    Raises:
        AssertionError: It ended instead, or does not listen within 15 s.
    """
    with socket.create_server((_HOST, 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, "-m", "scripted_model", "--port", str(port)]) as process:  # noqa: S603 - this package
        try:
            _wait_until_it_listens(process, port)
            yield f"http://{_HOST}:{port}"
        finally:
            process.terminate()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError("the scripted model has ended or does not listen")
        time.sleep(_PAUSE_SECONDS)
