"""Defect: IAM evaluates every ECS call against the cluster, and knows no ecs:cluster condition key.

AWS's service authorization reference gives RunTask the task definition as its resource and StopTask and
DescribeTasks the task, both with the condition key ecs:cluster; a least-privilege policy written by it would
be denied here, and one that allows the cluster's ARN allowed.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Elastic Container
Service".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]


def apply() -> None:
    """Name the documented resource and condition key."""
    wrap(iam_actions, "extract_resource_arn", _resource_arn)
    wrap(iam_actions, "request_tag_context", _context)


def _resource_arn(  # noqa: PLR0913, PLR0917 - ministack's signature
    original: Callable[..., str],
    service: str,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | str,
    params: Json,
    region: str,
    account: str,
) -> str:
    request = _request(body) if service == "ecs" else {}
    prefix = f"arn:aws:ecs:{region}:{account}"
    if definition := request.get("taskDefinition"):
        revision = ecs._resolve_td_key(definition)  # of a family too: a policy is asked about a revision
        return f"{prefix}:task-definition/{revision}" if revision else definition
    if task := request.get("task") or next(iter(request.get("tasks", [])), None):
        return task if task.startswith("arn:") else f"{prefix}:task/{_cluster(request)}/{task}"
    return original(service, method, path, headers, body, params, region, account)


def _context(original: Callable[..., Json], service: str, action: str, body: bytes | str, params: Json) -> Json:
    context = original(service, action, body, params)
    cluster = _request(body).get("cluster", "") if service == "ecs" else ""
    if not cluster:
        return context
    named = f"arn:aws:ecs:{get_region()}:{get_account_id()}:cluster/{cluster}"
    return context | {"ecs:cluster": cluster if cluster.startswith("arn:") else named}


def _cluster(request: Json) -> str:
    name: str = request.get("cluster", "default").rsplit("/", 1)[-1]
    return name


def _request(body: bytes | str) -> Json:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}
