"""`python -m cloud_agent_runner.secret_scan.server`: look for secrets in texts and commits, with the rules read once.

Standard input is a socket, on which each message hands over a connection. A connection is served by a copy of this
process, without capabilities and with a limit of memory: anybody may have written what it reads, and one copy has no
part in another's answers.

A request is a line of JSON: `seconds`, after which the copy ends whatever it is at, and `text` or `commits`, the
arguments of `secrets_between`. The line that answers it has what was `found`, or the `fault`.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.secret_scan.scanner import confine, find_secrets, secret_scanner, secrets_between

if TYPE_CHECKING:
    from collections.abc import Mapping


def main() -> None:
    """Serve until the other end of standard input is closed."""
    confine()
    secret_scanner()
    _share_memory()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the copies
    with socket.socket(fileno=sys.stdin.fileno()) as handed_over:
        while connection := _next(handed_over):
            with connection:
                if os.fork() == 0:
                    handed_over.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it waits for git
                    _serve(connection)
                    return


def _share_memory() -> None:
    """Give back what reading the rules took, and keep Python's collector from writing to what copies have in common."""
    gc.collect()
    gc.freeze()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):  # musl has none
        libc.malloc_trim(0)


def _next(handed_over: socket.socket) -> socket.socket | None:
    message, descriptors, *_ = socket.recv_fds(handed_over, 1, 1)
    return socket.socket(fileno=descriptors[0]) if message else None


def _serve(connection: socket.socket) -> None:
    with connection.makefile("rb") as requests:
        for line in requests:
            request = json.loads(line)
            signal.setitimer(signal.ITIMER_REAL, request["seconds"])
            connection.sendall(json.dumps(_answer(request)).encode() + b"\n")
            signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        if "text" in request:
            return {
                "found": sorted({value for _, value, _ in find_secrets(secret_scanner(), request["text"].encode())})
            }
        return {"found": [asdict(secret) for secret in secrets_between(*request["commits"])]}
    except Exception as error:  # noqa: BLE001 - whoever asked has the log
        return {"fault": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
