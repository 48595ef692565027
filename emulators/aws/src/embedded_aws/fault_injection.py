"""Requests to the embedded AWS that fail as planned; the plan is kept at `/_local/faults`."""
# ruff: noqa: SLF001 - faults take hold of private members of the pinned ministack, as patches do

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ministack.core.responses import json_response
from ministack.services import ecs, stepfunctions
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse

from embedded_aws.faults import FAULT, FailsToStart, Faults, NoCapacity
from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    Json = dict[str, Any]

PATH = "/_local/faults"
_RUN_TASK = "ecs:RunTask"
_TARGETS = {"DynamoDB_20120810": "dynamodb", "AmazonEC2ContainerServiceV20141113": "ecs"}
_INVOKE = re.compile(r"/2015-03-31/functions/[^/]+/invocations")
# HTTP status, the error's name, its message.
_REFUSALS = {
    "dynamodb": (
        400,
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded.",
    ),
    "ecs": (400, "ThrottlingException", "Rate exceeded"),
    "lambda": (429, "TooManyRequestsException", "Rate Exceeded."),
}


def install(faults: Faults) -> None:
    """Let tasks that are run, and the calls that Step Functions makes without HTTP, meet faults."""

    def run_task(original: Callable[[Json], object], data: Json) -> object:
        if data.get("group", "").startswith("service:"):
            return original(data)
        fault = faults.take("no_capacity", _RUN_TASK)
        if isinstance(fault, NoCapacity):
            return json_response({"tasks": [], "failures": [{"reason": fault.reason}]})
        return original(data)

    def start(original: Callable[..., None], task: Json, definition: Json, overrides: object, docker: object) -> None:
        is_of_service = task.get("group", "").startswith("service:")
        fault = None if is_of_service else faults.take("fails_to_start", _RUN_TASK)
        if isinstance(fault, FailsToStart):
            ecs._fail_task_start(task, docker, fault.reason)
        else:
            original(task, definition, overrides, docker)

    def call(original: Callable[..., object], resource: str, data: Json, *args: object) -> object:
        service, operation = _called(resource)
        if faults.take("throttled", f"{service}:{operation}"):
            _, error, message = _REFUSALS[service]
            raise stepfunctions._ExecutionError(f"{_prefix(resource, service)}.{error}", message)
        return original(resource, data, *args)

    wrap(ecs, "_run_task", run_task)
    ecs._ACTION_MAP["RunTask"] = ecs._run_task
    wrap(ecs, "_start_task_worker", start)
    wrap(stepfunctions, "_invoke_resource", call)
    wrap(stepfunctions, "_invoke_with_callback", call)


def _called(resource: str) -> tuple[str, str]:
    """Return service and operation of a Task state's resource, as a fault names them."""
    if ":function:" in resource:
        return "lambda", "Invoke"
    service, operation = resource.split(".", maxsplit=1)[0].split(":")[-2:]
    return service, f"{operation[0].upper()}{operation[1:]}"


def _prefix(resource: str, service: str) -> str:
    """Return what Step Functions puts before the name of an error."""
    if ":aws-sdk:" in resource:
        return {"dynamodb": "DynamoDb", "ecs": "Ecs", "lambda": "Lambda"}[service]
    return {"dynamodb": "DynamoDB", "ecs": "ECS", "lambda": "Lambda"}[service]


def with_faults(app: ASGIApp, faults: Faults) -> ASGIApp:
    """Return the application with the plan of faults in front of it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
        elif scope["path"] == PATH:
            body = await Request(scope, receive).body()
            await _plan(faults, scope["method"], body)(scope, receive, send)
        elif faults.take("throttled", operation := _operation(scope)):
            await _refuse(operation.split(":", maxsplit=1)[0])(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


def _operation(scope: Scope) -> str:
    """Return what an API request asks for, as a fault names it."""
    if scope["method"] == "POST" and _INVOKE.fullmatch(scope["path"]):
        return "lambda:Invoke"
    service, _, operation = Headers(scope=scope).get("x-amz-target", "").partition(".")
    return f"{_TARGETS.get(service, '')}:{operation}"


def _refuse(service: str) -> Response:
    status, error, message = _REFUSALS[service]
    return JSONResponse({"__type": error, "message": message}, status, {"x-amzn-ErrorType": error})


def _plan(faults: Faults, method: str, body: bytes) -> Response:
    match method:
        case "POST":
            try:
                faults.add(FAULT.validate_json(body))
            except ValidationError as error:
                causes = [f"{'.'.join(map(str, cause['loc'])) or 'body'}: {cause['msg']}" for cause in error.errors()]
                return JSONResponse({"message": "; ".join(causes)}, 400)
        case "DELETE":
            faults.clear()
        case "GET":
            pass
        case _:
            return JSONResponse({"message": f"{method} is not served here: use GET, POST or DELETE"}, 405)
    return JSONResponse({"faults": faults.documents()})
