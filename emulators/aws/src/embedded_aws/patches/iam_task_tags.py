"""Defect: a task is tagged as it is run without ecs:TagResource, by a caller of the API and by a state machine alike.

AWS documents that RunTask with tags, propagated ones included, needs ecs:TagResource on the task besides, with the
condition key ecs:CreateAction; what is refused is ecs:TagResource then, not RunTask.

Source: Amazon ECS Developer Guide, "Grant permission to tag resources on creation".
Upstream: not reported.
"""

from __future__ import annotations

import contextvars
import json
from typing import TYPE_CHECKING, Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]

TAG_RESOURCE = "ecs:TagResource"
_TASK = "embedded-aws:TaggedTask"  # how the request's check is told of it; no policy names this key

_refused_task: contextvars.ContextVar[str] = contextvars.ContextVar("refused_task", default="")


def apply() -> None:
    """Ask for both permissions."""
    wrap(iam_actions, "request_tag_context", _context)
    wrap(iam_evaluator, "enforce", _enforce)
    wrap(iam_actions, "access_denied_response", _response)


def tagged_task(request: Json) -> str:
    """Return the ARN that stands for the task which a RunTask request tags as it creates it; empty when it tags none.

    PropagateTags counts whatever tags the task definition has, as it does for AWS CDK: one that CloudFormation made
    always has CloudFormation's own.
    """
    propagates = request.get("propagateTags", "NONE") != "NONE"
    if not (propagates or request.get("tags") or request.get("enableECSManagedTags")):
        return ""
    cluster = request.get("cluster", "default").rsplit("/", 1)[-1]
    return f"arn:aws:ecs:{get_region()}:{get_account_id()}:task/{cluster}/*"


def refused_of(denied: object, action: str, resource: str) -> tuple[str, str]:
    """Return the action and resource that a refusal of this request is about."""
    task = getattr(denied, "tagged_task", "")
    return (TAG_RESOURCE, task) if task else (action, resource)


def _context(original: Callable[..., Json], service: str, action: str, body: bytes | str, params: Json) -> Json:
    context = original(service, action, body, params)
    if action != "ecs:RunTask":
        return context
    task = tagged_task(json.loads(body or b"{}"))
    return context | {_TASK: task} if task else context


def _enforce(  # noqa: PLR0913, PLR0917 - ministack's signature
    original: Callable[..., object],
    access_key_id: str,
    action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: Json | None = None,
) -> object:
    refusal = original(access_key_id, action, service, region, resource_arn, service_context)
    task = (service_context or {}).get(_TASK)
    if refusal or not task:
        return refusal
    refusal = original(access_key_id, TAG_RESOURCE, service, region, task, {"ecs:CreateAction": "RunTask"})
    if isinstance(refusal, iam_evaluator.EvalResult):
        refusal.tagged_task = task
        _refused_task.set(task)
    return refusal


def _response(
    original: Callable[..., object],
    service: str,
    action: str,
    principal: str,
    *args: object,
    explicit_deny: bool = False,
    **more: object,
) -> object:
    task = _refused_task.get() if action == "ecs:RunTask" else ""
    if task:
        _refused_task.set("")
        action = TAG_RESOURCE
        more["message"] = iam_actions.identity_denial_message(action, principal, task, explicit_deny=explicit_deny)
    return original(service, action, principal, *args, explicit_deny=explicit_deny, **more)
