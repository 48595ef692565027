"""Defect: what a state machine calls is called without its role: IAM is not asked.

AWS documents that Step Functions makes every call of a Task state as the state machine's role, and fails the
state when a policy does not allow it. (`iam:PassRole`, which RunTask also needs, is not evaluated here.)

Source: AWS Step Functions Developer Guide, "How AWS Step Functions Works with IAM" and "IAM Policies for integrated
services". Of the names of a refused call's errors none found; assumed.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import contextvars
import json
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from embedded_aws import role_sessions
from embedded_aws.patches.iam_task_tags import refused_of
from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Json = dict[str, Any]

# A service's IAM prefix where it is not the name Step Functions has for it.
_IAM_PREFIXES = {"sfn": "states", "eventbridge": "events", "cloudwatchlogs": "logs"}
# What Step Functions calls the error of a refused call: the SDK's general exception, as services model none.
_LAMBDA_REFUSED = "Lambda.AWSLambdaException"

_role_arn: contextvars.ContextVar[str] = contextvars.ContextVar("state_machine_role", default="")


def apply() -> None:
    """Evaluate the role's policies before each call, when IAM is enforced."""
    wrap(stepfunctions, "_execute_task", _execute_task)
    wrap(stepfunctions, "_invoke_resource", _invoke)
    wrap(stepfunctions, "_invoke_with_callback", _invoke)


def _execute_task(
    original: Callable[..., object], state: Json, state_input: object, execution: Json, context: Json
) -> object:
    machine = stepfunctions._state_machines.get((execution or {}).get("stateMachineArn")) or {}
    _role_arn.set(machine.get("roleArn", ""))
    return original(state, state_input, execution, context)


def _invoke(original: Callable[..., object], resource: str, data: Json, *args: object) -> object:
    if app.AUTH:
        for action, target, context in _calls(resource, data):
            _require(action, target, context, _error_name(resource))
    return original(resource, data, *args)


def _calls(resource: str, data: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield the (IAM action, resource ARN, condition context) of each permission the call needs."""
    if ":function:" in resource:
        yield "lambda:InvokeFunction", resource, {}
        return
    name, operation = resource.split(".", maxsplit=1)[0].split(":")[-2:]
    service = _IAM_PREFIXES.get(name, name)
    if service == "lambda" and operation == "invoke":
        yield "lambda:InvokeFunction", _function_arn(data.get("FunctionName", "")), {}
        return
    action = f"{service}:{operation[0].upper()}{operation[1:]}"
    arguments = stepfunctions._pascal_to_camel(data) if service == "ecs" else data
    request = json.dumps(arguments).encode()
    region, account = get_region(), get_account_id()
    if items := iam_actions.dynamodb_transaction_checks(action, request, region, account):
        yield from ((item_action, table, {}) for item_action, table in items)
        return
    target = iam_actions.extract_resource_arn(service, "POST", "/", {}, request, {}, region, account)
    conditions = iam_actions.dynamodb_service_context(request) if service == "dynamodb" else {}
    yield action, target, conditions | iam_actions.request_tag_context(service, action, request, {})


def _require(action: str, target: str, context: Json, error_name: str) -> None:
    role_arn = _role_arn.get()
    session = role_sessions.assume(role_arn, "states")
    denied = iam_evaluator.enforce(
        session.access_key_id, action, action.split(":", maxsplit=1)[0], get_region(), target, service_context=context
    )
    if denied:
        who = getattr(denied, "principal_arn", role_arn)
        explicit = getattr(denied, "decision", "") == "Deny"
        refused, resource = refused_of(denied, action, target)
        message = iam_actions.identity_denial_message(refused, who, resource, explicit_deny=explicit)
        raise stepfunctions._ExecutionError(error_name, message)


def _error_name(resource: str) -> str:
    if "lambda" in resource:
        return _LAMBDA_REFUSED
    service = resource.split(".", maxsplit=1)[0].split(":")[-2]
    if ":aws-sdk:" in resource:
        prefix = stepfunctions._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
        return f"{prefix}.{prefix}Exception"
    # Optimized integrations keep the names of the first version of the SDK.
    return {"ecs": "ECS.AccessDeniedException", "dynamodb": "DynamoDB.AmazonDynamoDBException"}.get(
        service, f"{service.upper()}.AccessDeniedException"
    )


def _function_arn(function: str) -> str:
    if function.startswith("arn:"):
        return function
    return f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{function}"
