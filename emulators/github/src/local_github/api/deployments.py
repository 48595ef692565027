"""Deployments, statuses of deployments and of commits, and check runs."""

from __future__ import annotations

import json
from typing import Any

from local_github.actors import Installation
from local_github.documents import deployments
from local_github.errors import ForbiddenError, InvalidError
from local_github.events import emit
from local_github.permissions import reading, writing
from local_github.rest import Reply, RepositoryCall, found, repository_route
from local_github.storage import Row, now

_DEPLOYMENT_STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
_COMMIT_STATES = {"error", "failure", "pending", "success"}
_CHECK_STATES = {"queued", "in_progress", "completed", "waiting", "requested", "pending"}
_CHECK_CONCLUSIONS = {
    "action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out",
}  # fmt: skip
_MOST_DESCRIPTION_CHARACTERS = 140


def _list_deployments(call: RepositoryCall) -> Reply:
    filters = [name for name in ("sha", "ref", "task", "environment") if call.query.get(name)]
    conditions = "".join(f" AND {name} = ?" for name in filters)
    sql = f"SELECT * FROM deployments WHERE repository_id = ?{conditions} ORDER BY id DESC"  # noqa: S608 - names are those above
    rows = call.storage.all(sql, call.repo.id, *(call.query[name] for name in filters))
    return call.page(rows, lambda row: deployments.deployment(call.site, call.repo, row))


def _create_deployment(call: RepositoryCall) -> Reply:
    """Deploy a ref as it stands: there is no merging into it and no waiting for checks here."""
    ref, environment = call.text("ref"), call.text("environment", "production")
    sha = call.repo.git.resolve(ref)
    if not sha:
        raise InvalidError(f"No ref found for: {ref}")
    description = call.text("description", None)
    _check_description("Deployment", description)
    stamp = now()
    row = call.storage.insert(
        "deployments",
        repository_id=call.repo.id,
        sha=sha,
        ref=ref,
        task=call.text("task", "deploy"),
        payload=json.dumps(call.value("payload", (dict, str), "an object or a string", {})),
        environment=environment,
        original_environment=environment,
        description=description,
        transient=call.flag("transient_environment", default=False),
        production=call.flag("production_environment", default=environment == "production"),
        creator=call.actor.login,
        created_at=stamp,
        updated_at=stamp,
    )
    document = deployments.deployment(call.site, call.repo, row)
    _emit(call, "deployment", deployment=document)
    return Reply(document, 201, {"Location": document["url"]})


def _check_description(resource: str, description: str | None) -> None:
    if len(description or "") > _MOST_DESCRIPTION_CHARACTERS:
        message = f"description is too long (maximum is {_MOST_DESCRIPTION_CHARACTERS} characters)"
        raise InvalidError.of(resource, "custom", field="description", message=message)


def _emit(call: RepositoryCall, event: str, **documents: dict[str, Any]) -> None:
    emit(call.acting, event, action="created", **documents, workflow=None, workflow_run=None)


def _deployment(call: RepositoryCall) -> Row:
    sql = "SELECT * FROM deployments WHERE id = ? AND repository_id = ?"
    row: Row = found(call.storage.one(sql, call.path["deployment_id"], call.repo.id))
    return row


def _get_deployment(call: RepositoryCall) -> Reply:
    return Reply(deployments.deployment(call.site, call.repo, _deployment(call)))


def _list_deployment_statuses(call: RepositoryCall) -> Reply:
    sql = "SELECT * FROM deployment_statuses WHERE deployment_id = ? ORDER BY id DESC"
    rows = call.storage.all(sql, _deployment(call)["id"])
    return call.page(rows, lambda row: deployments.deployment_status(call.site, call.repo, row))


def _create_deployment_status(call: RepositoryCall) -> Reply:
    """Say how a deployment goes. Success makes earlier ones of the environment inactive, unless it says otherwise."""
    deployment, state = _deployment(call), call.text("state")
    if state not in _DEPLOYMENT_STATES:
        raise InvalidError.of("DeploymentStatus", "invalid", field="state")
    description = call.text("description", "")
    _check_description("DeploymentStatus", description)
    environment = call.text("environment", deployment["environment"])
    row = _insert_status(
        call,
        deployment,
        state,
        description=description,
        environment=environment,
        environment_url=call.text("environment_url", ""),
        log_url=call.text("log_url", call.text("target_url", "")),
    )
    changed = call.storage.update("deployments", deployment["id"], environment=environment, updated_at=now())
    if state == "success" and call.flag("auto_inactive", default=True):
        _retire_earlier(call, changed)
    document = deployments.deployment_status(call.site, call.repo, row)
    if state != "inactive":  # of which GitHub tells no webhook
        parent = deployments.deployment(call.site, call.repo, changed)
        _emit(call, "deployment_status", deployment_status=document, deployment=parent)
    return Reply(document, 201, {"Location": document["url"]})


def _insert_status(call: RepositoryCall, deployment: Row, state: str, **columns: str) -> Row:
    return call.storage.insert(
        "deployment_statuses",
        deployment_id=deployment["id"],
        state=state,
        creator=call.actor.login,
        created_at=now(),
        **columns,
    )


def _retire_earlier(call: RepositoryCall, deployment: Row) -> None:
    earlier = call.storage.all(
        "SELECT * FROM deployments WHERE repository_id = ? AND environment = ? AND id < ? "
        "AND NOT transient AND NOT production",
        call.repo.id,
        deployment["environment"],
        deployment["id"],
    )
    for row in earlier:
        last = call.storage.one("SELECT * FROM deployment_statuses WHERE deployment_id = ? ORDER BY id DESC", row["id"])
        if last and last["state"] == "success":
            columns = {name: last[name] for name in ("description", "environment", "environment_url", "log_url")}
            _insert_status(call, row, "inactive", **columns)


# commit statuses and check runs


def _commit_sha(call: RepositoryCall, name: str) -> str:
    sha = call.repo.git.resolve(name)
    if not sha:
        raise InvalidError(f"No commit found for SHA: {name}")
    return sha


def _create_status(call: RepositoryCall) -> Reply:
    sha, state = _commit_sha(call, call.path["sha"]), call.text("state")
    if state not in _COMMIT_STATES:
        raise InvalidError.of("Status", "invalid", field="state")
    description = call.text("description", None)
    _check_description("Status", description)
    row = call.storage.insert(
        "statuses",
        repository_id=call.repo.id,
        sha=sha,
        state=state,
        context=call.text("context", "default"),
        description=description,
        target_url=call.text("target_url", None),
        creator=call.actor.login,
        created_at=now(),
    )
    document = deployments.status(call.site, call.repo, row)
    return Reply(document, 201, {"Location": document["url"]})


def _list_statuses(call: RepositoryCall) -> Reply:
    sql = "SELECT * FROM statuses WHERE repository_id = ? AND sha = ? ORDER BY id DESC"
    rows = call.storage.all(sql, call.repo.id, _commit_sha(call, call.path["ref"]))
    return call.page(rows, lambda row: deployments.status(call.site, call.repo, row))


def _create_check_run(call: RepositoryCall) -> Reply:
    if not isinstance(call.actor, Installation):
        raise ForbiddenError("You must authenticate via a GitHub App.")
    conclusion = call.text("conclusion", None)
    status = "completed" if conclusion else call.text("status", "queued")
    if conclusion is not None and conclusion not in _CHECK_CONCLUSIONS:
        raise InvalidError.of("CheckRun", "invalid", field="conclusion")
    if status not in _CHECK_STATES or (status == "completed" and not conclusion):
        raise InvalidError.of("CheckRun", "invalid", field="status")
    output = call.value("output", dict, "an object", {})
    if not all(isinstance(output.get(name), str | None) for name in ("title", "summary")):
        raise InvalidError.of("CheckRun", "invalid", field="output")
    stamp = now()
    row = call.storage.insert(
        "check_runs",
        repository_id=call.repo.id,
        head_sha=_commit_sha(call, call.text("head_sha")),
        name=call.text("name"),
        status=status,
        conclusion=conclusion,
        external_id=call.text("external_id", ""),
        details_url=call.text("details_url", None),
        title=output.get("title"),
        summary=output.get("summary"),
        started_at=call.text("started_at", stamp),
        completed_at=call.text("completed_at", stamp if status == "completed" else None),
    )
    document = deployments.check_run(call.site, call.repo, row)
    return Reply(document, 201, {"Location": document["url"]})


def _list_check_runs(call: RepositoryCall) -> Reply:
    sql = "SELECT * FROM check_runs WHERE repository_id = ? AND head_sha = ? ORDER BY id DESC"
    rows = call.storage.all(sql, call.repo.id, _commit_sha(call, call.path["ref"]))
    return call.page(
        rows, lambda row: deployments.check_run(call.site, call.repo, row), key="check_runs", total_count=len(rows)
    )


_DEPLOYMENT = "/deployments/{deployment_id:int}"
_READING, _WRITING = reading("deployments"), writing("deployments")
ROUTES = [
    repository_route("GET", "/deployments", _list_deployments, _READING),
    repository_route("POST", "/deployments", _create_deployment, _WRITING),
    repository_route("GET", _DEPLOYMENT, _get_deployment, _READING),
    repository_route("GET", f"{_DEPLOYMENT}/statuses", _list_deployment_statuses, _READING),
    repository_route("POST", f"{_DEPLOYMENT}/statuses", _create_deployment_status, _WRITING),
    repository_route("POST", "/statuses/{sha}", _create_status, writing("statuses")),
    *[
        repository_route("GET", path, _list_statuses, reading("statuses"))
        for path in ("/commits/{ref:path}/statuses", "/statuses/{ref:path}")  # the old address, which PyGithub asks
    ],
    repository_route("POST", "/check-runs", _create_check_run, writing("checks")),
    repository_route("GET", "/commits/{ref:path}/check-runs", _list_check_runs, reading("checks")),
]
