"""moto's interpreter: a copy of LocalStack's, which LocalStack compares with recordings of AWS.

moto leaves JSONata to a Java library that isn't there, and the spelling of an API's members to nobody: the engines and
the translation here take their place. Its functions give back a queue of texts; the steps here take theirs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_ecs import (
    StateTaskServiceEcs,
)
from moto.stepfunctions.parser.asl.jsonata import jsonata as motos_jsonata
from tests.asl.second_opinion.engines import Engines
from tests.asl.second_opinion.interpreter import GOOD, Execution, StepError, make_machine, make_table, returning
from tests.asl.second_opinion.spelling import to_api, to_step_functions

if TYPE_CHECKING:
    from collections.abc import Iterator

    Json = dict[str, Any]


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """The engines of all executions."""
    with Engines() as both, pytest.MonkeyPatch.context() as patch:
        patch.setattr(motos_jsonata, "_eval_jsonata", both.evaluate)
        yield both


@pytest.fixture
def execution(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Execution]:  # noqa: ARG001 - it evaluates
    """An execution that isn't begun, in an empty account, whose steps all go well."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    steps = {name: returning(answer) for name, answer in GOOD.items()}
    called: list[str] = []

    def invoke(
        _: LambdaSimpleBackend, function_name: str, qualifier: str, body: bytes, headers: Json, response_headers: Json
    ) -> bytes:
        del qualifier, headers
        name = function_name.rpartition(":")[2]
        called.append(name)
        try:
            return json.dumps(steps[name](json.loads(body))).encode()
        except StepError as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": error.args[0], "errorMessage": error.args[1]}).encode()

    monkeypatch.setattr(LambdaSimpleBackend, "invoke", invoke)
    for service in (StateTaskServiceEcs, StateTaskServiceAwsSdk):
        monkeypatch.setattr(service, "_normalise_parameters", to_api)
        monkeypatch.setattr(service, "_normalise_response", to_step_functions)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}):
        clients = boto3.client("stepfunctions"), boto3.client("ecs")
        yield Execution(*clients, make_table(), make_machine(), steps, called)
