"""Local mode's own processes: started in the background, waited for, and ended by pid."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import psutil

from cloud_agent_local.errors import MissingToolError, PartFailedError, PortInUseError
from cloud_agent_local.installation import PROJECT, RunningPart
from cloud_agent_proxy.haproxy_program import HaproxyNotFoundError, haproxy_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cloud_agent_local.installation import Ports

_LOOPBACK = "127.0.0.1"
STOP_SECONDS = 15.0
LOG_LINES = 15
_START_TIME_TOLERANCE = 0.05  # seconds; the kernel's own number has ticks of a hundredth


def check_tools() -> None:
    """Guarantee that the programs which `make install` does not bring are there.

    Raises:
        MissingToolError: names the program and where to get it.
    """
    for program in ("git", "make"):
        if shutil.which(program) is None:
            raise MissingToolError(
                f"{program} is not on the PATH. Install it (Debian: apt-get install {program}; "
                "macOS: xcode-select --install)."
            )
    try:
        haproxy_program()
    except HaproxyNotFoundError as error:
        raise MissingToolError(str(error)) from error


def check_ports(ports: Ports) -> None:
    """Guarantee that the ports differ and that nothing listens on them yet.

    Raises:
        PortInUseError: names the port, its part, the option that moves it and, where known, the program.
    """
    parts: dict[int, str] = {}
    for part, port in ports.by_part().items():
        if port in parts:
            raise PortInUseError(
                f"Port {port} is given to both the {parts[port]} and the {part}. Choose different ports."
            )
        parts[port] = part
        if not is_free(port):
            option = f"--{part.rpartition(' ')[2].lower()}-port"
            raise PortInUseError(
                f"Port {port}, for the {part}, is in use{_listener(port)}. Stop that program or choose another "
                f"port with {option}."
            )


def is_free(port: int) -> bool:
    """Whether nothing listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True


def a_free_port() -> int:
    """Return a port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _listener(port: int) -> str:
    ours = {_LOOPBACK, "0.0.0.0", "::"}  # noqa: S104 - what a listener that is in the way listens on
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if not address or not connection.pid or connection.status != psutil.CONN_LISTEN:
                continue
            if address.port == port and address.ip in ours:
                name = psutil.Process(connection.pid).name()
                return f" by {name} (pid {connection.pid}, on {address.ip})"
    return ""


def start(name: str, argv: Sequence[str], log: Path, environment: Mapping[str, str]) -> RunningPart:
    """Start a part in the background, its output in `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - argv is put together by local mode itself
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=PROJECT,
            start_new_session=True,
        )
    return RunningPart(name=name, pid=process.pid, start_time=start_time(psutil.Process(process.pid)))


def start_time(process: psutil.Process) -> float:
    """Return when a process started, in seconds that no setting of the clock changes; tells who has its pid later.

    On Linux they count from the boot: psutil adds the boot time, which moves with the clock. On macOS the kernel
    keeps what the clock showed.
    """
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0)


def wait_until_healthy(part: RunningPart, url: str, log: Path, seconds: float) -> None:
    """Return when the URL answers 200.

    Raises:
        PartFailedError: the process ended or the time is over; holds the last lines of its log.
    """
    deadline = time.monotonic() + seconds
    with httpx.Client(timeout=2, trust_env=False) as http:
        while time.monotonic() < deadline:
            if not is_running(part):
                raise PartFailedError(f"The {part.name} ended while starting. The end of {log}:\n{tail(log)}")
            with contextlib.suppress(httpx.HTTPError):
                if http.get(url).status_code == httpx.codes.OK:
                    return
            time.sleep(0.05)
    raise PartFailedError(
        f"The {part.name} did not respond to {url} within {seconds:.0f} s. The end of {log}:\n{tail(log)}"
    )


def is_running(part: RunningPart) -> bool:
    """Whether the very process that was started is still there."""
    process = _process(part)
    return process is not None and not _has_ended(process)


def stop(part: RunningPart) -> None:
    """End the process, with force after 15 s. A process that is gone is left alone."""
    process = _process(part)
    if process is not None:
        end([process])


def end(processes: Sequence[psutil.Process]) -> None:
    """End processes at the same time, with force after 15 s. One that nobody reaps has ended, too."""
    for send in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                send(process)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if all(_has_ended(process) for process in processes):
                return
            time.sleep(0.05)


def _has_ended(process: psutil.Process) -> bool:
    """Whether only its parent still has to take note: the command that started it may not, while it is stopping."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def tail(log: Path, lines: int = LOG_LINES) -> str:
    """Return the last lines of a log, indented."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        return "  (no log)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (empty)"


def _process(part: RunningPart) -> psutil.Process | None:
    try:
        process = psutil.Process(part.pid)
        return process if abs(start_time(process) - part.start_time) < _START_TIME_TOLERANCE else None
    except psutil.NoSuchProcess:
        return None
