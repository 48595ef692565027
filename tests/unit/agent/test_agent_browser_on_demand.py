"""A server that nobody uses isn't started."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.browser import on_demand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# It asks the client for its roots before it responds to the first call, as servers may.
SERVER = """
import json, pathlib, sys
pathlib.Path("started").touch()
def say(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") == "initialize":
        say(id=message["id"], result={"protocolVersion": message["params"]["protocolVersion"]})
    elif message.get("method") == "tools/call" and message["params"]["name"] == "end":
        sys.exit(3)
    elif message.get("method") == "tools/call":
        call = message["id"]
        say(id="roots", method="roots/list")
    elif message.get("id") == "roots":
        say(id=call, result={"roots": message["result"]})
"""
RESPONSES = {"initialize": {"serverInfo": {"name": "menu"}}, "tools/list": {"tools": [{"name": "look"}]}}


class Client:
    """Speaks to the program as Claude Code does."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def send(self, **message: Any) -> None:  # noqa: ANN401 - any JSON
        print(json.dumps({"jsonrpc": "2.0", **message}), file=self.process.stdin, flush=True)

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def introduce(self) -> None:
        """Do what Claude Code does with every server."""
        self.send(id="probe", method="server/discover")
        assert self.receive()["error"]["code"] == -32601
        self.send(id=0, method="initialize", params={"protocolVersion": "2025-11-25"})
        assert self.receive() == {"jsonrpc": "2.0", "id": 0, "result": RESPONSES["initialize"]}
        self.send(method="notifications/initialized")
        self.send(id=1, method="tools/list")
        assert self.receive() == {"jsonrpc": "2.0", "id": 1, "result": RESPONSES["tools/list"]}


@contextmanager
def connected(folder: Path) -> Iterator[Client]:
    (folder / "responses.json").write_text(json.dumps(RESPONSES))
    program = [sys.executable, "-I", "-S", on_demand.__file__, str(folder / "responses.json")]
    argv = [*program, sys.executable, "-I", "-S", "-c", SERVER]
    with subprocess.Popen(argv, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        client = Client(process)
        client.introduce()
        yield client
        assert process.stdin is not None
        process.stdin.close()


def test_the_server_starts_with_the_first_call_of_a_tool_and_not_before(tmp_path: Path) -> None:
    with connected(tmp_path) as client:
        assert not (tmp_path / "started").exists()

        client.send(id=2, method="tools/call", params={"name": "look"})
        assert client.receive() == {"jsonrpc": "2.0", "id": "roots", "method": "roots/list"}
        client.send(id="roots", result=["/repository"])
        assert client.receive() == {"jsonrpc": "2.0", "id": 2, "result": {"roots": ["/repository"]}}
        client.send(id=3, method="tools/list")
        assert client.receive()["result"] == RESPONSES["tools/list"]
    assert client.process.returncode == 0


def test_a_server_that_nobody_has_used_leaves_nothing_to_end(tmp_path: Path) -> None:
    with connected(tmp_path) as client:
        pass
    assert client.process.returncode == 0
    assert not (tmp_path / "started").exists()


def test_the_client_sees_that_the_server_has_ended(tmp_path: Path) -> None:
    with connected(tmp_path) as client:
        client.send(id=2, method="tools/call", params={"name": "end"})
        assert client.process.wait(20) == 3
