from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from tests.kit.bedrock import Bedrock
from tests.kit.http_server import serve_http

from cloud_agent_runner.model.bedrock import BedrockApi
from cloud_agent_runner.model.budget import ModelBudget
from cloud_agent_runner.model.gateway import model_gateway
from cloud_agent_runner.settings import Platform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
ARN = f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/{MODEL}"
CALL = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": []}
STREAM = "invoke-with-response-stream"


def _answer(_model: str, _body: dict[str, Any]) -> list[dict[str, Any]]:
    usage = {"input_tokens": 100_000, "output_tokens": 1}
    return [
        {
            "type": "message_start",
            "message": {"type": "message", "model": "claude-sonnet-4-5-20250929", "usage": usage},
        },
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 1_000}},
        {"type": "message_stop"},
    ]


@asynccontextmanager
async def _client(bedrock: Bedrock, model: str = MODEL) -> AsyncIterator[tuple[httpx.AsyncClient, ModelBudget]]:
    """A client with the key of a turn, at a gateway to `bedrock`."""
    budget = ModelBudget(100, 100)
    with serve_http(bedrock) as upstream:
        api = BedrockApi(model, Platform.from_environment(bedrock.variables(upstream.url)))
        async with model_gateway(api, budget) as gateway:
            with gateway.turn() as turn:
                key = turn.environment["ANTHROPIC_AUTH_TOKEN"]
                headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
                async with httpx.AsyncClient(
                    base_url=turn.environment["ANTHROPIC_BEDROCK_BASE_URL"], headers=headers
                ) as http:
                    yield http, budget


@pytest.mark.parametrize("model", [MODEL, ARN])
async def test_calls_are_signed_as_the_task_s_role_and_metered_at_the_region_s_price(model: str) -> None:
    bedrock = Bedrock(_answer)
    async with _client(bedrock, model) as (http, budget):
        for escaped in (quote(model, safe=""), quote(model)):
            for operation in (STREAM, "invoke"):
                assert (await http.post(f"/model/{escaped}/{operation}", json=CALL)).status_code == 200
        assert (budget.turns, budget.cost_usd) == pytest.approx((4, 4 * (0.3 + 0.015) * 1.1))
    assert (bedrock.models, bedrock.issued) == ([model] * 4, 1)


async def test_no_other_model_and_no_other_operation_is_open() -> None:
    bedrock = Bedrock(_answer)
    async with _client(bedrock) as (http, _):
        for model in ("anthropic.claude-opus-4-20250514-v1:0", f"x/model/{MODEL}", f"{MODEL}/invoke"):
            assert (await http.post(f"/model/{quote(model, safe='')}/invoke", json=CALL)).status_code == 403
        for path in (
            f"/model/{MODEL}/converse",
            f"/model/{MODEL}/invoke-with-bidirectional-stream",
            "/inference-profiles",
        ):
            assert (await http.post(path, json=CALL)).status_code == 404
        assert (
            await http.post(f"/model/{MODEL}/invoke", json=CALL, headers={"authorization": "Bearer x"})
        ).status_code == 401
    assert bedrock.models == []


async def test_credentials_are_renewed_before_they_expire() -> None:
    bedrock = Bedrock(_answer, lifetime=timedelta(minutes=5))
    async with _client(bedrock) as (http, _):
        for _call in range(3):
            assert (await http.post(f"/model/{MODEL}/invoke", json=CALL)).status_code == 200
    assert bedrock.issued > 3


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/"}, "couldn't be fetched"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://role.example/"}, "couldn't be fetched"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": ""}, "has no task role"),
    ],
)
async def test_credentials_that_cannot_be_had_are_a_502_and_cost_nothing(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    api = BedrockApi(MODEL, Platform.from_environment({"AWS_REGION": "eu-west-1"} | variables))
    budget = ModelBudget(100, 100)
    async with model_gateway(api, budget) as gateway, httpx.AsyncClient() as http:
        with gateway.turn() as turn:
            headers = {"authorization": f"Bearer {turn.key}"}
            response = await http.post(f"{gateway.url}/model/{MODEL}/invoke", json=CALL, headers=headers)
    assert (response.status_code, budget.turns, budget.cost_usd) == (502, 0, 0)
    assert said in response.json()["error"]["message"]


async def test_a_role_without_access_is_told_so_that_claude_code_does_not_try_for_minutes() -> None:
    async with _client(Bedrock(_answer, denied=True)) as (http, budget):
        response = await http.post(f"/model/{MODEL}/{STREAM}", json=CALL)
        assert (response.status_code, response.headers["x-should-retry"]) == (401, "false")
        assert (budget.turns, budget.cost_usd) == (0, 0)
