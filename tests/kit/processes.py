"""A program as a process of a test's own, with its output in a file."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_END_SECONDS = 10


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    is_up: Callable[[], bool],
    seconds: float = 30,
    **options: Any,  # noqa: ANN401 - Popen's
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block is left, and give it once it is up or has ended.

    Raises:
        AssertionError: It does neither within the seconds; the message has the end of its log.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, **{"stdout": output, "stderr": output, **options})
    try:
        try:
            eventually(lambda: process.poll() is not None or is_up(), seconds)
        except AssertionError as error:
            raise AssertionError(f"{command} isn't up after {seconds} s: {log.read_text()[-1500:]}") from error
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Terminate it, or kill it if it hasn't ended 10 s later."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
