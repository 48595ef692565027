"""The MCP server by which Claude uses the browser: Playwright's, started with Chromium by the first tool call.

Until then it's a small program that knows its tools (`browser/on_demand.py`): Node.js would take 114 MB in every turn,
and keep the model waiting for the second or more in which it starts.
"""

from __future__ import annotations

import json
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cloud_agent_runner.browser import on_demand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_agent_sdk import McpServerConfig

    from cloud_agent_runner.browser.installed import Browser
    from cloud_agent_runner.workspace.user import WorkspaceUser

SERVER = "browser"
_PREFIX = f"mcp__{SERVER}__"
ALL_BROWSER_TOOLS = f"{_PREFIX}*"
SERVER_PROGRAM = Path("@playwright/mcp/cli.js")
RESPONSES = Path(on_demand.__file__).with_name("playwright_mcp.json")
# Long enough to read a picture and to write the next change; the next call starts Chromium again, in a second.
_IDLE_MILLISECONDS = 120_000
_ELSEWHERE = "The browser is for what runs in this container, at http://localhost:<port>. Use curl for another address."


def browser_server(browser: Browser, user: WorkspaceUser) -> dict[str, McpServerConfig]:
    """Write the server's configuration, which `user` can read, and return the server as the SDK takes it.

    What it writes, pictures and snapshots of pages, stays out of the work tree unless Claude names a file there.
    """
    configuration = {
        "browser": {
            "browserName": "chromium",
            "isolated": True,
            "launchOptions": browser.launch_options,
            "contextOptions": {"viewport": {"width": 1280, "height": 800}},
        },
        "outputDir": str(user.home / ".cache" / "browser"),
    }
    file = Path.home() / "browser.json"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    file.chmod(0o644)
    options = ["--config", str(file), "--file-paths", "absolute", "--idle-timeout", str(_IDLE_MILLISECONDS)]
    server = [str(browser.node), str(browser.packages / SERVER_PROGRAM), *options]
    return {
        SERVER: {
            "type": "stdio",
            "command": sys.executable,
            "args": ["-I", "-S", on_demand.__file__, str(RESPONSES), *server],
        }
    }


def opens_elsewhere(tool: str, arguments: Mapping[str, Any]) -> str | None:
    """Return why a page isn't opened, in words for Claude; None for a page of this container's.

    It keeps Claude on course; what a page loads, and where its links lead, is the network's to allow.
    """
    if not tool.startswith(_PREFIX) or "url" not in arguments:
        return None
    return None if _is_here(str(arguments["url"])) else _ELSEWHERE


def _is_here(url: str) -> bool:
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return url == "about:blank"
