"""Defect: the credentials a task is given belong to no role, and IAM does not know their key.

AWS documents them as the task role's, and gives a task without a role none. A task that has none
therefore isn't given the endpoint at all.

Source: Amazon ECS Developer Guide, "Task IAM role".
Upstream: not reported.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from ministack.core.responses import json_response
from ministack.services import ecs, imds

from embedded_aws import role_sessions
from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Response = tuple[int, dict[str, str], bytes]

_PATH = "/v2/credentials/"
_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_AUTHORIZATION = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
_LIFETIME = dt.timedelta(hours=6)

# What was asked for, by the path it was promised at: (authorization, role ARN, session name).
_grants: dict[str, tuple[str, str, str]] = {}


def apply() -> None:
    """Serve each task its own role's credentials, to the bearer of its authorization token alone."""
    wrap(ecs, "_register_metadata", _register)
    wrap(imds, "handle_request", _handle_request)


def _register(  # noqa: PLR0913, PLR0917 - ministack's signature
    original: Callable[..., str],
    task_arn: str,
    cluster_arn: str,
    task_definition: dict[str, Any],
    definition: dict[str, Any],
    launch_type: str,
    env: dict[str, str],
    *args: object,
) -> str:
    token = original(task_arn, cluster_arn, task_definition, definition, launch_type, env, *args)
    if role_arn := task_definition.get("taskRoleArn"):
        path = _PATH + env[_URI].rsplit("/", 1)[-1]
        _grants[path] = (env[_AUTHORIZATION], role_arn, task_arn.rsplit("/", 1)[-1])
    else:
        del env[_URI], env[_AUTHORIZATION]
    return token


async def _handle_request(
    original: Callable[..., Awaitable[Response]], method: str, path: str, headers: dict[str, str], *args: object
) -> Response:
    if not path.startswith(_PATH):
        return await original(method, path, headers, *args)
    authorization, role_arn, session_name = _grants.get(path, ("", "", ""))
    if not authorization or headers.get("authorization") != authorization:
        refusal: Response = json_response({"message": "no credentials for this task"}, status=403)
        return refusal
    credentials = role_sessions.assume(role_arn, session_name)
    expiration = dt.datetime.now(dt.UTC) + _LIFETIME
    answer: Response = json_response(
        {
            "RoleArn": role_arn,
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "Token": credentials.session_token,
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )
    return answer
