"""The process that workers are forked from, run as a script: it imports libraries once, and each worker has them.

It knows the standard library alone, for what it imports is what a worker finds imported. It has one thread, so that it
may fork. It is started with pipes for its streams, as a worker is, so that sys.stdin and its like are a worker's once
the worker's pipes are in their place. It ends with its control socket, and leaves its workers to whoever holds their
standard input.

Its argument is a JSON object: `control` and `log`, the descriptors of that socket and of what takes its own output;
`narrow`, Python code that leaves in sys.path what a worker's runtime has; `search`, folders that come before that;
`preload`, names of modules. Of each worker it receives three streams and a channel, on which it sends the process id,
and the exit code when the worker has ended, in NUMBER_BYTES each. The worker itself reads from it a JSON object with
its `script`, `folder` and `environment`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# What an interpreter, its libraries and its linker go by as they start.
_STARTING_VARIABLES = ("PYTHON", "LANG", "LC_", "LD_")
NUMBER_BYTES = 4
_STREAMS = 3
# What botocore reads for each session, whichever service it's asked for: lists of folders, and documents.
_LISTED_BY_SDK = ("service-2", "endpoint-rule-set-1")
_READ_BY_SDK = ("endpoints", "partitions", "sdk-default-configuration", "_retry")
_PATH_AS_STARTED = list(sys.path)
_INTERRUPT_AS_STARTED = signal.getsignal(signal.SIGINT)


class _Worker(NamedTuple):
    """What a fork received."""

    streams: list[int]
    channel: socket.socket


def main() -> None:
    """Serve until the control socket ends; in each fork, be the worker."""
    arguments = json.loads(sys.argv[1])
    for stream in (1, 2):
        os.dup2(arguments["log"], stream)
    os.close(arguments["log"])
    _preload(arguments["narrow"], arguments["search"], arguments["preload"])
    gc.freeze()  # or a worker's first collection would copy all of it
    worker = _serve(socket.socket(fileno=arguments["control"]))
    if worker:
        _become(worker)


def _preload(narrow: str, search: list[str], modules: list[str]) -> None:
    """Import what is there of `modules`, as a worker with these layers would find it."""
    exec(narrow, {})  # noqa: S102 - the very code that a worker begins with
    sys.path[:0] = search
    for name in modules:
        with contextlib.suppress(Exception):  # it is the worker that says so, when it imports it
            importlib.import_module(name)
    if "botocore.session" in sys.modules:
        _read_data_of_sdk(sys.modules["botocore.session"])
    sys.stdout.flush()  # or what a library has printed would be every worker's


def _read_data_of_sdk(botocore_session: ModuleType) -> None:
    """Read it now, for the loader that all sessions of a worker then share: half of what its first client takes.

    A worker with an AWS_DATA_PATH has a loader of its own.
    """
    botocore_session.create_loader = functools.cache(botocore_session.create_loader)  # type: ignore[attr-defined]  # a module
    loader = botocore_session.create_loader(None)
    for kind in _LISTED_BY_SDK:
        loader.list_available_services(kind)
    for document in _READ_BY_SDK:
        loader.load_data(document)


def _serve(control: socket.socket) -> _Worker | None:
    """Fork a worker for each request; returns in each of them, and None here when no more are to come."""
    channels: dict[int, socket.socket] = {}
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the server's affair
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if woken in ready:
                woken.recv(4096)
                _report_ended(channels)
            if control in ready:
                asked, descriptors, _, _ = socket.recv_fds(control, 1, _STREAMS + 1)
                if not asked:
                    return None
                worker = _Worker(descriptors[:_STREAMS], socket.socket(fileno=descriptors[_STREAMS]))
                pid = os.fork()
                if pid == 0:
                    for opened in (control, woken, wake, *channels.values()):
                        opened.close()
                    return worker
                for descriptor in worker.streams:
                    os.close(descriptor)
                channels[pid] = worker.channel
                _send(worker.channel, pid)


def _report_ended(channels: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):  # there is none
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            channel = channels.pop(pid)
            _send(channel, os.waitstatus_to_exitcode(status))
            channel.close()


def _send(channel: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # nobody waits for it any more
        channel.sendall(number.to_bytes(NUMBER_BYTES, signed=True))


def _become(worker: _Worker) -> None:
    """Turn this fork into the process that its script would have been started in, and run the script."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, _INTERRUPT_AS_STARTED)
    with worker.channel, worker.channel.makefile() as asked:
        request = json.load(asked)
    for number, descriptor in enumerate(worker.streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    script, folder, environment = request["script"], request["folder"], request["environment"]
    os.chdir(folder)
    if _needs_an_interpreter_of_its_own(folder, environment):
        os.execve(sys.executable, [sys.executable, script], environment)  # noqa: S606 - as it would have been started
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv[:] = [script]
    sys.path[:] = [os.path.dirname(script), *_PATH_AS_STARTED[1:]]  # noqa: PTH120 - pathlib isn't imported for a worker
    module = sys.modules["__main__"] = ModuleType("__main__")
    module.__file__ = script
    with open(script, encoding="utf-8") as source:  # noqa: PTH123 - as above
        code = compile(source.read(), script, "exec")
    exec(code, module.__dict__)  # noqa: S102 - what this process is for


def _needs_an_interpreter_of_its_own(folder: str, environment: Mapping[str, str]) -> bool:
    """Whether the function starts with other variables of the interpreter, or brings a module that is imported here."""
    own = {name.partition(".")[0] for name in os.listdir(folder)}  # noqa: PTH208 - as above
    return not own.isdisjoint(sys.modules) or starting(environment) != starting(os.environ)


def starting(environment: Mapping[str, str]) -> dict[str, str]:
    """Return those of the variables that an interpreter reads as it starts."""
    return {name: value for name, value in environment.items() if name.startswith(_STARTING_VARIABLES)}


if __name__ == "__main__":
    main()
