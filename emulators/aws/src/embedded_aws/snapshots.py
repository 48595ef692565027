"""The account as it was: `POST /_local/snapshot` keeps how everything is set up, `PUT /_local/snapshot` brings it back.

What is alive is left alone, for a copy of it would not be: tasks, the services that keep them and the targets they
are, executions, the rows of tables, queues and logs.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict
from ministack.services import (
    acm,
    alb,
    apigateway,
    cloudformation,
    cloudwatch,
    ec2,
    ecr,
    ecs,
    eventbridge,
    iam,
    lambda_svc,
    route53,
    secretsmanager,
    sns,
    stepfunctions,
)
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from types import ModuleType

    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/_local/snapshot"

_KEPT = (
    acm,
    alb,
    apigateway,
    cloudformation,
    cloudwatch,
    ec2,
    ecr,
    ecs,
    eventbridge,
    iam,
    lambda_svc,
    route53,
    secretsmanager,
    sns,
    stepfunctions,
)
_ALIVE = {
    alb: {"_targets"},
    ecs: {"_clusters", "_services", "_tasks"},
    lambda_svc: {"_esms", "_kinesis_positions", "_dynamodb_stream_positions", "_esm_backoff_until"},
    stepfunctions: {"_executions", "_task_tokens", "_activity_tasks", "_map_runs"},
}


class Snapshot:
    """One copy of the account, taken and brought back as often as one likes."""

    def __init__(self) -> None:
        self._copies: list[tuple[Any, Any]] = []

    @property
    def is_taken(self) -> bool:
        """Whether there is a copy."""
        return bool(self._copies)

    def take(self) -> None:
        """Copy the account; an earlier copy is forgotten."""
        stores = [store for module in _KEPT for store in _stores(module)]
        self._copies = [(store, copy.deepcopy(store._data)) for store in stores]  # noqa: SLF001 - of all regions

    def bring_back(self) -> None:
        """Make the account what it was when the copy was taken."""
        for store, kept in self._copies:
            store._data.clear()  # noqa: SLF001 - as above
            store._data.update(copy.deepcopy(kept))  # noqa: SLF001 - as above


def _stores(module: ModuleType) -> list[Any]:
    alive = _ALIVE.get(module, set())
    kinds = (AccountScopedDict, AccountRegionScopedDict)
    return [store for name, store in vars(module).items() if isinstance(store, kinds) and name not in alive]


def with_snapshot(app: ASGIApp, snapshot: Snapshot) -> ASGIApp:
    """Return the application with the snapshot in front of it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await _answer(snapshot, scope["method"])(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


def _answer(snapshot: Snapshot, method: str) -> Response:
    match method:
        case "POST":
            snapshot.take()
        case "PUT" if snapshot.is_taken:
            snapshot.bring_back()
        case "PUT":
            return JSONResponse({"message": "There is no snapshot yet: POST takes one"}, 409)
        case _:
            return JSONResponse({"message": f"{method} is not served here: use POST or PUT"}, 405)
    return Response(status_code=204)
