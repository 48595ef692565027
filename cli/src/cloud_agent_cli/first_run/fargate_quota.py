"""May as many agents run at once as MaxSessions lets?

Fargate counts the vCPUs of all On-Demand tasks of an account in a region, and a new account has few. Beyond the quota
RunTask starts nothing: the session waits in the queue, for a day at most, though slots are free. The agents, the tasks
of the proxies and the canary must fit, beside whatever else runs in the account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack

_QUOTA = {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"}  # "Fargate On-Demand vCPU resource count"
_UNITS_OF_A_VCPU = 1024
_PROXY_UNITS = 256  # of the template's task definitions of proxy, canary and egress proxy
_EGRESS_PROXIES = 2  # with AgentEgress=listed


def run(context: CheckContext) -> Iterator[Finding]:
    """Find that the quota is smaller than what the stack may start."""
    needed, allowed = vcpus(context.stack), _quota(context)
    if allowed < needed:
        sessions, units = (context.stack.parameters[name] for name in ("MaxSessions", "AgentCpu"))
        yield Finding(
            resource=_QUOTA["QuotaCode"],
            problem=f"The quota for Fargate On-Demand vCPUs is {allowed:g}; {sessions} agents of {units} CPU units and "
            f"the proxy take {needed:g}.",
            impact="Sessions beyond it wait in the queue, for a day at most, though slots are free.",
            remediation=f"Request an increase to at least {needed:g} with `aws service-quotas "
            f"request-service-quota-increase --service-code fargate --quota-code {_QUOTA['QuotaCode']} "
            f"--desired-value {needed:g}`, or deploy with a smaller MaxSessions.",
            confirm=f"aws service-quotas get-service-quota --service-code fargate --quota-code {_QUOTA['QuotaCode']}",
        )


def vcpus(stack: Stack) -> float:
    """Return the vCPUs that the stack's tasks take together when all sessions are in use."""
    agents = int(stack.parameters["MaxSessions"]) * int(stack.parameters["AgentCpu"])
    small = int(stack.parameters["ProxyDesiredCount"]) + (stack.parameters["Canary"] == "enabled")
    small += _EGRESS_PROXIES * stack.lists_egress
    return (agents + small * _PROXY_UNITS) / _UNITS_OF_A_VCPU


def _quota(context: CheckContext) -> float:
    """Return the account's own, or AWS's default where it has none."""
    missing = ["NoSuchResourceException"]
    found = context.aws.describe("service-quotas", "get_service_quota", missing=missing, **_QUOTA)
    found = found or context.aws.describe("service-quotas", "get_aws_default_service_quota", missing=missing, **_QUOTA)
    if found is None:
        raise DataUnavailableError("Service Quotas knows no quota for Fargate On-Demand vCPUs in this region")
    return float(found["Quota"]["Value"])


CHECK = Check(
    name="fargate-quota",
    question="May as many agents run at once as MaxSessions lets?",
    run=run,
    actions=("servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota"),
)
