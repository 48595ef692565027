"""The canary: a visit by the public name, through load balancer, proxy and its task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import System


def test_the_canary_is_reached_while_the_path_is_sound(stage: System) -> None:
    assert stage.invoke("CanaryFunction") == {"reached": True, "reason": ""}


def test_the_canary_is_missed_when_it_is_gone(stage: System) -> None:
    def visit() -> dict[str, Any]:
        return stage.invoke("CanaryFunction")

    cluster = stage.installation.outputs["ClusterArn"]
    ecs = stage.client("ecs")
    (service,) = [arn for arn in ecs.list_services(cluster=cluster)["serviceArns"] if "Canary" in arn]
    ecs.update_service(cluster=cluster, service=service, desiredCount=0)
    try:
        result = wait_for(visit, lambda result: not result["reached"])
        assert "has no task" in result["reason"]
    finally:
        ecs.update_service(cluster=cluster, service=service, desiredCount=1)
