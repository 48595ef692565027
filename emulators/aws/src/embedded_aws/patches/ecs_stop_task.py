"""Defect: StopTask reports STOPPED with exit code 0 first, and ends the container afterwards, within 5 s.

AWS documents that StopTask answers at once with desiredStatus STOPPED; the container gets SIGTERM, its
StopTimeout, then SIGKILL; and only when it is gone does the task become STOPPED, with its true exit code. A
service then starts a new task in its place.

Source: SDK model "ecs": StopTask; Amazon ECS Developer Guide, "Task lifecycle".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.core.concurrency import resource_lock, spawn_background
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, request_scope
from ministack.services import ecs, ecs_metadata

from embedded_aws.patches import ecs_task_events

if TYPE_CHECKING:
    from embedded_aws.containers.client import ContainerClient
    from embedded_aws.patches import Context

    Json = dict[str, Any]
    Response = tuple[int, dict[str, str], bytes]

_SERVICE = "service:"


def apply(context: Context) -> None:
    """Replace StopTask, for callers of the API and for the service scheduler."""

    def stop_task(request: Json) -> Response:
        return _stop_task(request, context.docker)

    ecs._stop_task = stop_task
    ecs._ACTION_MAP["StopTask"] = stop_task


def _stop_task(request: Json, docker: ContainerClient) -> Response:
    cluster = ecs._resolve_cluster_name(request.get("cluster", "default"))
    if cluster is None:
        return _response(error_response_json("ClusterNotFoundException", "Cluster not found.", 400))
    task = ecs._resolve_task(request.get("task", ""), cluster)
    if not task:
        message = "The referenced task was not found."
        return _response(error_response_json("InvalidParameterException", message, 400))
    if _request_stop(task, request.get("reason") or "Task stopped by user"):
        ecs_task_events.publish(task)
        account, region = get_account_id(), get_region()

        def finish() -> None:
            with request_scope(account, region):
                _finish(task, cluster, docker)

        spawn_background(finish, thread_name=f"stop-{task['taskArn'].rsplit('/', 1)[-1]}")
    return _response(json_response({"task": ecs._sanitize(task)}))


def _request_stop(task: Json, reason: str) -> bool:
    """Mark the task as to be stopped; False when it is already so."""
    with resource_lock("ecs-task", task["taskArn"]):
        if task["desiredStatus"] == "STOPPED":
            return False
        ecs._bump_task_version(task)
        task |= {
            "desiredStatus": "STOPPED",
            "stoppingAt": ecs._iso(),
            "stoppedReason": reason,
            "stopCode": "UserInitiated",
        }
    ecs_metadata.set_task_status(task["taskArn"], desired_status="STOPPED")
    return True


def _finish(task: Json, cluster: str, docker: ContainerClient) -> None:
    containers = [docker.containers.get(container_id) for container_id in task.get("_docker_ids", [])]
    ecs._cleanup_task_resources(task, docker)
    with resource_lock("ecs-task", task["taskArn"]):
        for record, container in zip(task["containers"], containers, strict=False):
            record["exitCode"] = container.wait()["StatusCode"]
        for record in task["containers"]:
            record["lastStatus"] = "STOPPED"
        ecs._bump_task_version(task)
        task |= {"lastStatus": "STOPPED", "stoppedAt": ecs._iso(), "executionStoppedAt": ecs._iso()}
    ecs._recount_cluster(cluster)
    ecs._refresh_service_state(cluster, task.get("group", ""))
    ecs_task_events.publish(task)
    if task.get("group", "").startswith(_SERVICE):
        ecs._reconcile_service_tasks(cluster, f"{cluster}/{task['group'].removeprefix(_SERVICE)}")


def _response(response: Response) -> Response:
    return response
