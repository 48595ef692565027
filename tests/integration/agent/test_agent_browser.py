"""Claude looks at the preview: the real Claude Code, Playwright's MCP server and Chromium."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from tests.kit.http_server import Request, Response, serve_http

from cloud_agent_runner.browser.installed import find_browser
from cloud_agent_runner.claude.assignment import Assignment
from cloud_agent_runner.claude.client import Claude
from cloud_agent_runner.model.api import AnthropicApi
from cloud_agent_runner.model.budget import ModelBudget
from cloud_agent_runner.model.gateway import model_gateway
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from pathlib import Path

BROWSER = find_browser(WorkspaceUser.find(), ListenAddress("127.0.0.1", "127.0.0.1", 3000))
pytestmark = pytest.mark.skipif(not BROWSER, reason="needs Chromium, Node.js and Playwright's packages: make browser")


def _page(elsewhere: str) -> str:
    return f"""<!doctype html><h1>Menu</h1>
<script>
onresize = () => console.error(`too narrow at ${{innerWidth}}`)
fetch("{elsewhere}").catch(() => console.error("nothing from elsewhere"))
</script>"""


async def test_claude_sees_the_preview_and_its_console_and_chromium_reaches_nothing_else(
    tmp_path: Path, model_url: str
) -> None:
    def respond(request: Request) -> Response:
        answer = httpx.post(f"{model_url}{request.path}", content=request.body, timeout=20)
        return Response(answer.status_code, answer.content, {"Content-Type": answer.headers["content-type"]})

    reported: list[tuple[str, str]] = []

    def report_tool(tool: str, detail: str, _todo: object) -> None:
        reported.append((tool, detail))

    work_tree = tmp_path / "repository"
    work_tree.mkdir()
    user = WorkspaceUser(tmp_path, None)
    with serve_http(respond) as model, serve_http(Response()) as elsewhere:
        page = _page(elsewhere.url.replace("127.0.0.1", "another.localhost"))
        with serve_http(Response(200, page.encode(), {"Content-Type": "text/html"})) as preview:
            uses = [
                ("navigate", {"url": f"{preview.url}/menu"}),
                ("resize", {"width": 390, "height": 844}),
                ("take_screenshot", {"type": "png"}),
                ("console_messages", {"level": "error"}),
                ("navigate", {"url": "https://github.example/"}),
            ]
            lines = [f"scripted-model: use mcp__browser__browser_{tool} {json.dumps(given)}" for tool, given in uses]
            api = AnthropicApi("claude-sonnet-5", model.url, SecretStr("sk-ant-key"))
            assignment = Assignment(work_tree, "claude-sonnet-5", "Be brief.", ["Read"], browser=BROWSER)
            async with (
                model_gateway(api, ModelBudget(max_turns=20, budget_usd=1)) as gateway,
                aclosing(Claude(assignment, user, gateway)) as claude,
            ):
                turn = await claude.turn(_request(lines), report_tool)
        calls = [request.json() for request in model.requests]

    assert (turn.is_error, turn.turns) == (False, len(uses) + 1)
    assert reported[0] == ("mcp__browser__browser_navigate", f"{preview.url}/menu")
    opened, _, picture, console, refused = _results(calls[-1]["messages"])
    assert f"Page URL: {preview.url}/menu" in json.dumps(opened)
    image = next(block for block in picture if block["type"] == "image")
    assert image["source"]["media_type"] == "image/png"
    assert "too narrow at 390" in json.dumps(console)
    assert "nothing from elsewhere" in json.dumps(console)
    assert "what runs in this container" in json.dumps(refused)
    assert [request.path for request in preview.requests if request.path != "/favicon.ico"] == ["/menu"]
    assert elsewhere.requests == []
    assert list(work_tree.iterdir()) == []


def _request(lines: list[str]) -> str:
    body = "\n".join(lines)
    return f"Do it.\n<issue-0a1b>\nTitle: t\n\n{body}\n</issue-0a1b>"


def _results(messages: list[dict[str, Any]]) -> list[Any]:
    """Return the result of each tool call."""
    blocks = [block for message in messages if message["role"] == "user" for block in message["content"]]
    return [block["content"] for block in blocks if isinstance(block, dict) and block["type"] == "tool_result"]
