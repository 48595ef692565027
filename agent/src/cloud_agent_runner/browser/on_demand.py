"""`python -I -S on_demand.py RESPONSES COMMAND...`: an MCP server over stdio, started by the first call of a tool.

Claude Code starts every server and asks it for its tools before the model gets to work. The RESPONSES, a file with the
results of some methods, are given without the server; the first call of a tool starts COMMAND, which is connected from
then on as though it had been there all the time. This process ends as that one does, or when its input does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

TYPE_CHECKING = False  # as importing typing would take its time
if TYPE_CHECKING:
    from typing import Any

_INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
_NO_SUCH_METHOD = {"code": -32601, "message": "Method not found"}  # JSON-RPC 2.0


class OnDemandServer:
    """The server, started or not. A message is one line of JSON, in either direction."""

    def __init__(self, responses: dict[str, Any], command: list[str]) -> None:
        self._responses = responses
        self._command = command
        self._initialize: dict[str, Any] = {}
        self._server: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        """Take messages until there are no more."""
        for line in sys.stdin.buffer:
            message = json.loads(line)
            method = message.get("method", "")
            if method == "initialize":
                self._initialize = message
            if method in self._responses:
                _write(_line({"jsonrpc": "2.0", "id": message["id"], "result": self._responses[method]}))
            elif self._server is not None:
                _send(self._server, line)
            elif method == "tools/call":
                self._server = self._start()
                _send(self._server, line)
            elif "id" in message:
                _write(_line({"jsonrpc": "2.0", "id": message["id"], "error": _NO_SUCH_METHOD}))
        if self._server is not None and self._server.stdin is not None:
            self._server.stdin.close()
            self._server.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the server and introduce it to the client, which has its introduction already."""
        server = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - given by the supervisor
        _send(server, _line(self._initialize))
        for line in server.stdout or ():
            if json.loads(line).get("id") == self._initialize["id"]:
                break
        _send(server, _line(_INITIALIZED))
        threading.Thread(target=_pass_on, args=(server,), daemon=True).start()
        return server


def _pass_on(server: subprocess.Popen[bytes]) -> None:
    """Pass on what the server says; when it has ended, so does this process, whatever it waits for."""
    for line in server.stdout or ():
        _write(line)
    os._exit(server.wait())


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _send(server: subprocess.Popen[bytes], line: bytes) -> None:
    if server.stdin is not None:
        server.stdin.write(line)
        server.stdin.flush()


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _, responses, *command = sys.argv
    with open(responses, "rb") as file:  # noqa: PTH123 - importing pathlib would take longer than all the rest
        OnDemandServer(json.load(file), command).serve()
