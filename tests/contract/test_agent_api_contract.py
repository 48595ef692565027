"""contracts/agent_api.openapi.json: made of the API that runs, and kept by the client that the agent has of it."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from contracts.generator.documents import CONTRACTS, documents
from openapi_spec_validator import validate
from tests.contract.agent_calls import CALLS, RESPONSES, accepted, make_call, refused
from tests.kit.agent_api_contract import AgentApiContract
from tests.kit.http_server import serve_http

from cloud_agent.agent_api.handler import PARTS
from cloud_agent_runner.agent_api_connection import AgentApiRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.http_server import HttpServer

    Document = dict[str, Any]


@pytest.fixture
def listening_api() -> Iterator[HttpServer]:
    with serve_http(accepted) as server:
        yield server


@pytest.fixture(scope="module")
def contract() -> AgentApiContract:
    return AgentApiContract()


def test_a_deployment_has_the_api_before_the_agents_that_may_ask_it_for_more(template: Document) -> None:
    agents = [
        resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::ECS::TaskDefinition" and name.endswith("AgentTaskDefinition")
    ]
    assert [agent.get("DependsOn") for agent in agents] == ["AgentApiFunction"] * 2


@pytest.mark.parametrize("name", documents())
def test_the_contract_is_what_the_code_says(name: str) -> None:
    assert (CONTRACTS / name).read_text() == documents()[name], "run `make contracts`, and read what it changed"


def test_the_document_is_openapi(contract: AgentApiContract) -> None:
    validate(contract.document)


def test_every_operation_says_what_it_does_and_how_it_refuses(contract: AgentApiContract) -> None:
    operations = [one for path in contract.document["paths"].values() for one in path.values()]

    assert len(operations) == sum(len(part.declared) for part in PARTS) == 17
    assert [one["operationId"] for one in operations if not one["summary"].endswith(".")] == []
    assert [one["operationId"] for one in operations if not {"200", "401", "409"} <= set(one["responses"])] == []
    assert [one["operationId"] for one in operations if ("requestBody" in one) != ("400" in one["responses"])] == []


@pytest.mark.parametrize("name", CALLS)
async def test_whatever_the_agent_reports_is_a_request_of_the_api(
    listening_api: HttpServer, contract: AgentApiContract, name: str
) -> None:
    await make_call(listening_api, CALLS[name])

    (request,) = listening_api.requests
    authorization = request.headers["Authorization"]
    assert contract.objections_to_request(request.method, request.path, request.body, authorization) == []
    (adapter,) = [route.body for part in PARTS for route in part.declared if route.path == request.path]
    assert adapter is None or adapter.validate_json(request.body)


def test_the_agent_makes_every_call_that_there_is(contract: AgentApiContract) -> None:
    async def paths() -> set[str]:
        with serve_http(accepted) as server:
            for call in CALLS.values():
                await make_call(server, call)
            return {request.path for request in server.requests}

    assert asyncio.run(paths()) == set(contract.document["paths"])


@pytest.mark.parametrize("path", RESPONSES)
def test_the_agent_is_tried_on_what_the_api_responds(contract: AgentApiContract, path: str) -> None:
    (method,) = contract.document["paths"][path]
    assert contract.objections_to_response(method.upper(), path, 200, json.dumps(RESPONSES[path]).encode()) == []


# What the API refuses


@pytest.mark.parametrize("name", [name for name in CALLS if name.startswith(("preview", "turn started", "tool used"))])
async def test_a_report_that_the_session_can_do_without_does_not_end_it(
    listening_api: HttpServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    listening_api.respond = refused(HTTPStatus.BAD_REQUEST)

    await make_call(listening_api, CALLS[name])

    (record,) = caplog.records
    assert (record.message, record.levelname) == ("report refused", "ERROR")
    assert record.__dict__["reason"] == "result: too long"


@pytest.mark.parametrize("name", ["heartbeat", "ready", "turn finished"])
async def test_a_report_that_the_session_depends_on_ends_it_by_name(listening_api: HttpServer, name: str) -> None:
    listening_api.respond = refused(HTTPStatus.BAD_REQUEST)

    with pytest.raises(AgentApiRefusedError, match=r"^The Agent API refused POST /agent/[a-z]+ with 400: result: too"):
        await make_call(listening_api, CALLS[name])


@pytest.mark.parametrize("name", ["preview live", "turn started", "tool used"])
async def test_a_token_that_is_refused_is_never_passed_over(listening_api: HttpServer, name: str) -> None:
    listening_api.respond = refused(HTTPStatus.UNAUTHORIZED)

    with pytest.raises(AgentApiRefusedError, match="with 401"):
        await make_call(listening_api, CALLS[name])
