"""The repository's own Claude settings, as the real Claude Code takes them."""

from __future__ import annotations

import json
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from tests.kit.http_server import Request, Response, serve_http

from cloud_agent_runner.claude.assignment import Assignment
from cloud_agent_runner.claude.client import Claude
from cloud_agent_runner.model.api import AnthropicApi
from cloud_agent_runner.model.budget import ModelBudget
from cloud_agent_runner.model.gateway import model_gateway
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from cloud_agent_runner.claude.client import TurnResult

MCP_SERVER = """
import json, sys
for line in sys.stdin:
    call = json.loads(line)
    if "id" not in call:
        continue
    result = {
        "initialize": {
            "protocolVersion": call.get("params", {}).get("protocolVersion"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "menu", "version": "1"},
        },
        "tools/list": {"tools": [{"name": "soup_of_the_day", "description": "s", "inputSchema": {"type": "object"}}]},
    }.get(call["method"], {})
    print(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}), flush=True)
"""
COOK = """---
name: cook
description: Cooks.
tools: Bash
model: claude-opus-4-1-20250805
---
You are the cook.
"""


def _report_tool(_tool: str, _detail: str, _todo: object) -> None: ...


def _request(body: str) -> str:
    return f"Do it.\n<issue-0a1b>\nTitle: t\n\n{body}\n</issue-0a1b>"


def _repository(folder: Path, instructions: str = "CLAUDE.md", *, hooks_disabled: bool = False) -> None:
    """Write a repository whose settings do their work, and try what they must not be able to do."""
    files = {
        instructions: "Soup is served at noon.",
        ".claude/skills/menu/SKILL.md": "---\nname: menu\ndescription: Writes the menu of the day.\n---\nWrite it.",
        ".claude/commands/serve.md": "---\ndescription: Serves a table.\n---\nBring bread to table $ARGUMENTS.",
        ".claude/agents/cook.md": COOK,
        ".claude/settings.json": json.dumps(
            {
                "model": "claude-opus-4-1-20250805",
                "apiKeyHelper": f"touch {folder}/helper-ran; echo another-key",
                "env": {
                    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
                    "ANTHROPIC_API_KEY": "another-key",
                    "ANTHROPIC_AUTH_TOKEN": "another-key",
                    "ANTHROPIC_MODEL": "claude-opus-4-1-20250805",
                    "CLAUDE_CODE_USE_BEDROCK": "1",
                    "HTTP_PROXY": "http://127.0.0.1:9",
                    "http_proxy": "http://127.0.0.1:9",
                    "NO_PROXY": "",
                    "no_proxy": "",
                },
                "disableAllHooks": hooks_disabled,
                "permissions": {
                    "defaultMode": "bypassPermissions",
                    "allow": ["Bash(git push:*)"],
                    "ask": ["Bash(touch asked:*)"],
                },
                "hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": f"touch {folder}/hook-ran"}]}]},
            }
        ),
        ".mcp.json": json.dumps(
            {
                "mcpServers": {
                    "kitchen": {"command": sys.executable, "args": ["-c", MCP_SERVER]},
                    "cellar": {"command": "/no/such/program"},
                }
            }
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


async def _turn(folder: Path, model_url: str, body: str, *, on: bool) -> tuple[TurnResult, list[dict[str, Any]]]:
    (turn,), calls = await _turns(folder, model_url, body, on=on)
    return turn, calls


async def _turns(folder: Path, model_url: str, *bodies: str, on: bool) -> tuple[list[TurnResult], list[dict[str, Any]]]:
    def respond(request: Request) -> Response:
        answer = httpx.post(f"{model_url}{request.path}", content=request.body, timeout=20)
        return Response(answer.status_code, answer.content, {"Content-Type": answer.headers["content-type"]})

    with serve_http(respond) as upstream:
        api = AnthropicApi("claude-sonnet-5", upstream.url, SecretStr("sk-ant-key"))
        assignment = Assignment(folder, "claude-sonnet-5", "Be brief.", ["Bash", "Task"], repository_settings=on)
        async with (
            model_gateway(api, ModelBudget(max_turns=20, budget_usd=1)) as gateway,
            aclosing(Claude(assignment, WorkspaceUser(folder.parent, None), gateway)) as claude,
        ):
            turns = [await claude.turn(_request(body), _report_tool) for body in bodies]
        return turns, [request.json() for request in upstream.requests]


@pytest.mark.parametrize("instructions", ["CLAUDE.md", "AGENTS.md"])
async def test_the_repository_s_own_settings_work_but_reach_no_other_model(
    tmp_path: Path, model_url: str, instructions: str
) -> None:
    folder = tmp_path / "repository"
    _repository(folder, instructions)
    turn, calls = await _turn(folder, model_url, "scripted-model: run echo 1", on=True)
    assert (turn.is_error, turn.turns) == (False, len(calls))
    assert {call["model"] for call in calls} == {"claude-sonnet-5"}
    assert (folder / "hook-ran").exists()
    assert not (folder / "helper-ran").exists()
    assert "mcp__kitchen__soup_of_the_day" in [tool["name"] for tool in calls[-1]["tools"]]
    request = json.dumps(calls[-1])
    assert "Soup is served at noon." in request
    assert "Writes the menu of the day." in request


async def test_hooks_that_the_repository_turns_off_leave_the_policy_on(tmp_path: Path, model_url: str) -> None:
    folder = tmp_path / "repository"
    _repository(folder, hooks_disabled=True)
    turn, _ = await _turn(folder, model_url, "scripted-model: run true; git -C . push", on=True)
    assert "Do not push" in turn.result
    assert not (folder / "hook-ran").exists()


async def test_nothing_of_the_repository_s_own_settings_works_where_they_are_off(
    tmp_path: Path, model_url: str
) -> None:
    folder = tmp_path / "repository"
    _repository(folder)
    turn, calls = await _turn(folder, model_url, "scripted-model: run echo 1", on=False)
    assert not turn.is_error
    assert ".claude/settings.json" not in turn.result
    assert not (folder / "hook-ran").exists()
    assert [tool["name"] for tool in calls[-1]["tools"]] == ["Agent", "Bash"]  # Agent is Task
    request = json.dumps(calls[-1])
    assert "Soup is served at noon." not in request
    assert "Writes the menu of the day." not in request


async def test_any_file_of_the_repository_s_may_be_edited_and_nothing_else_that_claude_code_protects(
    tmp_path: Path, model_url: str
) -> None:
    folder = tmp_path / "repository"
    _repository(folder)
    (folder / ".git" / "hooks").mkdir(parents=True)
    edited = (".husky/pre-commit", ".vscode/settings.json", ".npmrc", ".devcontainer.json", ".claude/agents/cook.md")
    refused = (".git/hooks/pre-commit", "../.bashrc", "asked")
    commands = [
        *(f"mkdir -p {Path(path).parent} && echo 1 > {path}" for path in (*edited, *refused[:-1])),
        "touch asked",
    ]
    body = "\n".join(f"scripted-model: run {command}" for command in commands)

    turn, _ = await _turn(folder, model_url, body, on=True)

    assert [path for path in (*edited, *refused) if (folder / path).exists()] == list(edited)
    assert "There's nobody to ask for permission" in turn.result


async def test_skills_commands_and_subagents_of_the_repository_s_can_be_used(tmp_path: Path, model_url: str) -> None:
    folder = tmp_path / "repository"
    _repository(folder)
    uses: list[tuple[str, dict[str, str]]] = [
        ("Skill", {"skill": "menu"}),
        ("Skill", {"skill": "serve", "args": "seven"}),
        (
            "Task",
            {"subagent_type": "cook", "description": "Cook.", "prompt": _request("scripted-model: run pwd >cooked")},
        ),
    ]
    body = "\n".join(f"scripted-model: use {tool} {json.dumps(arguments)}" for tool, arguments in uses)

    turn, calls = await _turn(folder, model_url, body, on=True)

    assert not turn.is_error
    sent = json.dumps(calls)
    assert "Base directory for this skill" in sent
    assert "Bring bread to table seven." in sent
    assert (folder / "cooked").read_text().strip() == str(folder)
    assert [call for call in calls if "You are the cook." in json.dumps(call["system"])]


async def test_an_mcp_server_that_cannot_be_started_is_named_once(tmp_path: Path, model_url: str) -> None:
    folder = tmp_path / "repository"
    _repository(folder)

    turns, _ = await _turns(folder, model_url, *["scripted-model: run echo 1"] * 2, on=True)

    mentions = [turn.result.count("The repository's MCP server `cellar` couldn't be started: ENOENT") for turn in turns]
    assert mentions == [1, 0]
    assert "kitchen" not in turns[0].result


async def test_a_setting_without_effect_is_named_once_with_what_happens_instead_and_without_its_value(
    tmp_path: Path, model_url: str
) -> None:
    folder = tmp_path / "repository"
    _repository(folder)

    turns, _ = await _turns(folder, model_url, *["scripted-model: run echo 1"] * 2, on=True)

    in_file = "In the repository's `.claude/settings.json`, "
    assert [each.removeprefix(in_file) for each in turns[0].result.split("\n\n") if each.startswith(in_file)] == [
        (
            "`apiKeyHelper`, `env.ANTHROPIC_AUTH_TOKEN`, `env.CLAUDE_CODE_USE_BEDROCK`, `env.HTTP_PROXY`, "
            "`env.http_proxy`, `env.ANTHROPIC_BASE_URL`, `env.ANTHROPIC_API_KEY` have no effect: Claude calls the "
            "model only through the session's own gateway, "
            "with the session's own key."
        ),
        (
            "`model`, `env.ANTHROPIC_MODEL` have no effect: the session uses `claude-sonnet-5`; choose another with "
            "`/model`, or `model` in `.github/claude-cloud-agent.yml`."
        ),
        (
            "`permissions.defaultMode` has no effect: Claude works without asking, and where Claude Code would ask a "
            "person, the answer is no."
        ),
        "`permissions.allow` has no effect: Claude can't push; its commits are pushed when a turn ends.",
    ]
    assert "another-key" not in turns[0].result
    assert in_file not in turns[1].result
