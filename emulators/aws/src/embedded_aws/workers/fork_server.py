"""Starts Python workers by forking a process that has imported their libraries."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NamedTuple

from embedded_aws.workers import fork_server_process
from embedded_aws.workers.fork_server_process import NUMBER_BYTES, starting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_END_SECONDS = 1.0
_UNKNOWN_EXIT_CODE = 255  # the server died first; multiprocessing's fork server has the same number for that


class ForkedProcess:
    """A worker, as `subprocess.Popen` with three text streams would give it.

    A signal goes to its process id, which is free for another process from the moment that it ends: the standard
    library's fork server accepts that, too.
    """

    def __init__(self, pid: int, channel: socket.socket, stdin: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self.stdin = os.fdopen(stdin, "w", 1)
        self.stdout = os.fdopen(stdout, "r", 1)
        self.stderr = os.fdopen(stderr, "r", 1)
        self.returncode: int | None = None
        self._channel = channel
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once it has ended.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.
        """
        with self._lock:
            if self.returncode is None:
                self._channel.settimeout(timeout)
                try:
                    self.returncode = _number(self._channel)
                except (BlockingIOError, TimeoutError) as error:
                    raise subprocess.TimeoutExpired("worker", timeout or 0) from error
                except ConnectionError:
                    self.returncode = _UNKNOWN_EXIT_CODE
                self._channel.close()
            return self.returncode

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _number(channel: socket.socket) -> int:
    """Return what the server says next.

    Raises:
        ConnectionError: it has died.
    """
    received = channel.recv(NUMBER_BYTES)
    if not received:
        raise ConnectionAbortedError("the fork server has ended")
    return int.from_bytes(received, signed=True)


class ForkServer:
    """One process to fork workers from: those whose layers have the folders `search`, in this order.

    `narrow` is Python code that leaves in sys.path what comes after them, `preload` names what to import of all that.
    Its interpreter starts with `environment`, or with this process' own.
    """

    def __init__(
        self, narrow: str, search: Sequence[str], preload: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._control, theirs = socket.socketpair()
        with theirs, os.fdopen(os.dup(2), "wb") as log:
            passed = {"control": theirs.fileno(), "log": log.fileno()}
            arguments = passed | {"narrow": narrow, "search": search, "preload": preload}
            self._process = subprocess.Popen(  # noqa: S603 - a module of this package
                [sys.executable, fork_server_process.__file__, json.dumps(arguments)],
                stdin=subprocess.PIPE,  # as each worker's streams are
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=list(passed.values()),
                env=environment,
            )

    def fork(self, script: str, folder: str, environment: Mapping[str, str]) -> ForkedProcess:
        """Run a script in this folder with this environment, in a process of its own.

        Raises:
            ConnectionError: the server has ended.
        """
        with ExitStack() as ours, ExitStack() as theirs:
            channel, far_channel = socket.socketpair()
            ours.enter_context(channel)
            theirs.enter_context(far_channel)
            streams = [os.pipe() for _ in range(3)]
            (stdin, write), (read, stdout), (read_error, stderr) = streams
            for descriptor in (stdin, stdout, stderr):
                theirs.callback(os.close, descriptor)
            for descriptor in (write, read, read_error):
                ours.callback(os.close, descriptor)
            channel.sendall(json.dumps({"script": script, "folder": folder, "environment": dict(environment)}).encode())
            channel.shutdown(socket.SHUT_WR)
            socket.send_fds(self._control, [b"."], [stdin, stdout, stderr, far_channel.fileno()])
            theirs.close()
            process = ForkedProcess(_number(channel), channel, write, read, read_error)
            ours.pop_all()
            return process

    def end(self) -> None:
        """End the server; its workers live on until their input ends."""
        self._control.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()


class ForkServers:
    """A fork server for each set of layers and of variables that an interpreter starts with, once it is needed."""

    def __init__(self, narrow: str, preload: Sequence[str]) -> None:
        self._narrow = narrow
        self._preload = preload
        self._lock = threading.Lock()
        self._servers: dict[_Kind, ForkServer] = {}

    def fork(self, search: Sequence[str], script: str, folder: str, environment: Mapping[str, str]) -> ForkedProcess:
        """Run a worker's script, whose layers have the folders `search`."""
        kind = _Kind(tuple(search), tuple(sorted(starting(environment).items())))
        with self._lock:
            server = self._servers.get(kind) or self._start(kind)
        try:
            return server.fork(script, folder, environment)
        except ConnectionError:  # somebody has killed it
            with self._lock:
                return self._start(kind).fork(script, folder, environment)

    def end(self) -> None:
        """End all of them."""
        with self._lock:
            for server in self._servers.values():
                server.end()

    def _start(self, kind: _Kind) -> ForkServer:
        own = {name: value for name, value in os.environ.items() if name not in starting(os.environ)}
        server = ForkServer(self._narrow, kind.search, self._preload, own | dict(kind.variables))
        self._servers[kind] = server
        return server


class _Kind(NamedTuple):
    """What the workers of one server have in common."""

    search: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
