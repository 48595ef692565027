"""The proxy's service as ECS runs it, whatever the template says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

ACTION = "ecs:DescribeServices"
_GONE = "INACTIVE"


def proxy_service(examination: Examination) -> Document | None:
    """Return the service as DescribeServices describes it; None when it, or its cluster, does not exist.

    Raises:
        CannotLookError: ECS refused or did not answer.
    """
    stack = examination.stack
    answer = examination.aws.ask(
        "ecs",
        "describe_services",
        missing=["ClusterNotFoundException", "ServiceNotFoundException"],
        cluster=stack.physical_id("Cluster"),
        services=[stack.physical_id("ProxyService")],
    )
    services = answer["services"] if answer else []
    return services[0] if services and services[0]["status"] != _GONE else None


def proxy_groups(examination: Examination) -> tuple[str, ...]:
    """Return the security groups that the proxy tasks are in; the stack's own for a service that does not exist.

    Raises:
        CannotLookError: as of `proxy_service`.
    """
    service = proxy_service(examination)
    if service is None:
        return (examination.stack.physical_id("ProxySecurityGroup"),)
    return tuple(service["networkConfiguration"]["awsvpcConfiguration"].get("securityGroups", ()))
