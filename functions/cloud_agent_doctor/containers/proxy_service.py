"""The proxy's service as ECS runs it, whatever the template says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]

ACTION = "ecs:DescribeServices"
_GONE = "INACTIVE"


def proxy_service(context: CheckContext) -> Document | None:
    """Return the service as DescribeServices describes it; None if it, or its cluster, doesn't exist.

    Raises:
        DataUnavailableError: ECS refused or didn't respond.
    """
    stack = context.stack
    response = context.aws.describe(
        "ecs",
        "describe_services",
        missing=["ClusterNotFoundException", "ServiceNotFoundException"],
        cluster=stack.physical_id("Cluster"),
        services=[stack.physical_id("ProxyService")],
    )
    services = response["services"] if response else []
    return services[0] if services and services[0]["status"] != _GONE else None


def proxy_groups(context: CheckContext) -> tuple[str, ...]:
    """Return the security groups of the proxy's tasks; the stack's own if the service doesn't exist.

    Raises:
        DataUnavailableError: as of `proxy_service`.
    """
    service = proxy_service(context)
    if service is None:
        return (context.stack.physical_id("ProxySecurityGroup"),)
    return tuple(service["networkConfiguration"]["awsvpcConfiguration"].get("securityGroups", ()))
