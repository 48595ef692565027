"""The real Claude Code at the real gateway: what it asks of the model, and what stops it."""

from __future__ import annotations

import json
import logging
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from tests.kit.bedrock import Bedrock
from tests.kit.http_server import Request, Response, serve_http

from cloud_agent_runner.claude.assignment import Assignment
from cloud_agent_runner.claude.client import Claude
from cloud_agent_runner.model.api import AnthropicApi, ModelApi
from cloud_agent_runner.model.bedrock import BedrockApi
from cloud_agent_runner.model.budget import ModelBudget
from cloud_agent_runner.model.gateway import model_gateway
from cloud_agent_runner.settings import Platform
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.integration.agent.conftest import Agent, ControlPlane

ON_BEDROCK = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
MODEL = "claude-opus-4-1-20250805"  # which Claude Code would replace by a newer one
LONG = "\n".join(f"scripted-model: run echo {n}" for n in range(20))


def _report_tool(_tool: str, _detail: str, _todo: object) -> None: ...


def _request(body: str) -> str:
    return f"Do it.\n<issue-0a1b>\nTitle: t\n\n{body}\n</issue-0a1b>"


@asynccontextmanager
async def _claude(folder: Path, api: ModelApi, budget: ModelBudget) -> AsyncIterator[Claude]:
    assignment = Assignment(folder, api.model, "Be brief.", ["Bash", "Task"])
    user = WorkspaceUser(folder, None)
    async with model_gateway(api, budget) as gateway, aclosing(Claude(assignment, user, gateway)) as claude:
        yield claude


def _anthropic(url: str, model: str = "claude-sonnet-5") -> ModelApi:
    return AnthropicApi(model, url, SecretStr("sk-ant-key"))


def _scripted(model_url: str) -> Callable[[str, dict[str, Any]], list[dict[str, Any]]]:
    """Answer as the scripted model does, to a Bedrock."""

    def answer(model: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        call = {**body, "model": model, "stream": True}
        lines = httpx.post(f"{model_url}/v1/messages", json=call, timeout=20).text.splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]

    return answer


@pytest.fixture(params=["anthropic", "bedrock"])
def api(request: pytest.FixtureRequest, model_url: str) -> Iterator[ModelApi]:
    """The scripted model, by each of the two APIs."""
    if request.param == "anthropic":
        yield _anthropic(model_url)
        return
    bedrock = Bedrock(_scripted(model_url))
    with serve_http(bedrock) as upstream:
        yield BedrockApi(ON_BEDROCK, Platform.from_environment(bedrock.variables(upstream.url)))


@pytest.mark.parametrize(
    ("limits", "words"), [((100, 0.1), "up its budget of $0.10"), ((3, 100), "all of its 3 model turns")]
)
async def test_claude_code_ends_its_turn_at_the_first_refusal(
    tmp_path: Path, api: ModelApi, caplog: pytest.LogCaptureFixture, limits: tuple[int, float], words: str
) -> None:
    caplog.set_level(logging.INFO)
    budget = ModelBudget(*limits)
    async with _claude(tmp_path, api, budget) as claude:
        stopped = await claude.turn(_request(LONG), _report_tool)
        refused = await claude.turn(_request("scripted-model: run echo 1"), _report_tool)
    assert f"Stopped: the session has used {words}" in stopped.result
    assert (stopped.is_error, stopped) == (True, refused)
    assert (stopped.turns, stopped.cost_usd) == (budget.turns, budget.cost_usd)
    assert [record.message for record in caplog.records].count("model call refused") == 1


async def test_what_claude_s_shell_calls_by_itself_is_counted_too(tmp_path: Path, model_url: str) -> None:
    code = (
        "import json, os, urllib.request as u; "
        'headers = {\\"x-api-key\\": os.environ[\\"ANTHROPIC_API_KEY\\"]}; '
        'call = json.dumps({\\"model\\": \\"claude-sonnet-5\\", \\"messages\\": []}).encode(); '
        'url = os.environ[\\"ANTHROPIC_BASE_URL\\"] + \\"/v1/messages\\"; '
        "[u.urlopen(u.Request(url, call, headers)).read() for _ in range(5)]"
    )
    async with _claude(tmp_path, _anthropic(model_url), ModelBudget(100, 100)) as claude:
        turn = await claude.turn(_request(f'scripted-model: run python3 -c "{code}" && echo called'), _report_tool)
    assert "called" in turn.result
    assert turn.turns == 2 + 5


async def test_whichever_model_a_subagent_asks_for_it_is_the_session_s_within_the_gateway_s_bounds(
    tmp_path: Path,
) -> None:
    calls: list[dict[str, Any]] = []
    subagents = [("general-purpose", model) for model in ("opus", "sonnet", "haiku", "fable")] + [("Explore", None)]

    def respond(request: Request) -> Response:
        call = request.json()
        calls.append(call)
        said = json.dumps(call["messages"])
        if "You are subagent" in said and "0a1b" not in said:
            return _streamed([{"type": "text", "text": "I'm done."}])
        if "tool_result" in said:
            return _streamed([{"type": "text", "text": "All are done."}])
        return _streamed(
            [
                {"type": "tool_use", "id": f"toolu_{n}", "name": "Agent", "input": _task(n, kind, model)}
                for n, (kind, model) in enumerate(subagents)
            ]
        )

    with serve_http(respond) as upstream:
        async with _claude(tmp_path, _anthropic(upstream.url, MODEL), ModelBudget(100, 100)) as claude:
            turn = await claude.turn(_request("delegate"), _report_tool)
    assert (turn.is_error, turn.result) == (False, "All are done.")
    assert len(calls) == turn.turns == 2 + len(subagents)
    assert {call["model"] for call in calls} == {MODEL}


def _task(number: int, kind: str, model: str | None) -> dict[str, str]:
    task = {"description": "work", "prompt": f"You are subagent {number}.", "subagent_type": kind}
    return task if model is None else {**task, "model": model}


def _streamed(blocks: list[dict[str, Any]]) -> Response:
    usage = {"input_tokens": 10, "output_tokens": 1}
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": [], "usage": usage}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            opening, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            arguments = json.dumps(block["input"])
            opening, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": arguments}
        events += [
            {"type": "content_block_start", "index": index, "content_block": opening},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    stop_reason = "end_turn" if blocks[-1]["type"] == "text" else "tool_use"
    ending = {"stop_reason": stop_reason, "stop_sequence": None}
    events += [{"type": "message_delta", "delta": ending, "usage": {"output_tokens": 5}}, {"type": "message_stop"}]
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return Response(200, text.encode(), {"Content-Type": "text/event-stream"})


async def test_a_role_without_access_to_the_model_is_told_at_once(tmp_path: Path) -> None:
    bedrock = Bedrock(lambda _model, _body: [], denied=True)
    with serve_http(bedrock) as upstream:
        api = BedrockApi(ON_BEDROCK, Platform.from_environment(bedrock.variables(upstream.url)))
        async with _claude(tmp_path, api, ModelBudget(100, 100)) as claude:
            turn = await claude.turn(_request("hello"), _report_tool)
    assert (turn.is_error, turn.turns, turn.cost_usd) == (True, 0, 0)
    assert turn.result.startswith("The model API rejected the deployment's credentials.")
    assert turn.result.endswith("It responded with HTTP 401: You don't have access to the model.")
    assert len([request for request in upstream.requests if "/model/" in request.path]) == 1


def test_a_session_on_bedrock_keeps_the_role_from_claude(
    start_agent: Callable[..., Agent], control_plane: ControlPlane, model_url: str
) -> None:
    bedrock = Bedrock(_scripted(model_url))
    with serve_http(bedrock) as upstream:
        control_plane.ask("Look around", "scripted-model: run env > own.txt")
        provider = {"MODEL_PROVIDER": "bedrock", "ANTHROPIC_API_KEY": "", "CLAUDE_MODEL": ON_BEDROCK}
        agent = start_agent(**provider, **bedrock.variables(upstream.url))
        turn = agent.until(lambda: control_plane.events("turn_finished"))[0]
        own = (agent.work_tree / "own.txt").read_text()
    assert (turn["is_error"], turn["turns"], turn["cost_usd"] > 0) == (False, 2, True)
    assert bedrock.models == [ON_BEDROCK] * 2
    assert "ANTHROPIC_AUTH_TOKEN=placeholder-" in own
    assert [word for word in ("AWS_CONTAINER", "the-role", "AKIA") if word in own] == []
