"""`python -m tests.tools.browser_tools`: record what Playwright's MCP server says before it's used, for the agent.

The model is charged for the description of each tool in every call, so those that are hardly ever of use on a preview
are left out; and the one that runs code in Node.js, for which a repository's own `tools` may have no place.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.browser.installed import PACKAGES
from cloud_agent_runner.claude.browser_server import RESPONSES, SERVER_PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

LEFT_OUT = frozenset(
    f"browser_{name}" for name in ("run_code_unsafe", "drop", "drag", "find", "network_request", "tabs")
)
_INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"roots": {}},
    "clientInfo": {"name": "recorder", "version": "1"},
}


def recorded(packages: Path = PACKAGES) -> dict[str, Any]:
    """Return the results of the methods that Claude Code calls when it starts the server."""
    with subprocess.Popen(
        ["node", packages / SERVER_PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def result(method: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
            request = {"jsonrpc": "2.0", "id": method, "method": method, "params": parameters}
            print(json.dumps(request), file=server.stdin, flush=True)
            return next(m["result"] for m in map(json.loads, server.stdout) if m.get("id") == method)  # type: ignore[arg-type]

        results = {"initialize": result("initialize", _INITIALIZE), "tools/list": result("tools/list", {})}
        server.stdin.close()
    tools = [tool for tool in results["tools/list"]["tools"] if tool["name"] not in LEFT_OUT]
    return {**results, "tools/list": {"tools": tools}}


if __name__ == "__main__":
    RESPONSES.write_text(json.dumps(recorded(), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{RESPONSES}\n")
