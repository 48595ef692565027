"""Does Lambda's concurrency suffice for the sessions, and for what the stack reserves of it?

A new account may have as few as 10 concurrent executions. Each session's agent makes one request at a time, and beside
them run the webhook, the publisher, the reconciler, the doctor and a step of a workflow. Of the quota Lambda keeps 100
unreserved: a deployment with a ReservedConcurrency beyond that fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_cli.first_run.deployment import NOT_DEPLOYED
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_BESIDE_THE_AGENTS = 5  # webhook, publisher, reconciler, doctor and a step
_KEPT_UNRESERVED = 100  # AWS Lambda Developer Guide, "Configuring reserved concurrency for a function"
_RESERVING = 2  # functions: webhook and Agent API


def run(context: CheckContext) -> Iterator[Finding]:
    """Find that the account's concurrency is too small."""
    response = context.aws.describe("lambda", "get_account_settings") or {}
    allowed, unreserved = (
        int(response["AccountLimit"][name]) for name in ("ConcurrentExecutions", "UnreservedConcurrentExecutions")
    )
    sessions, reserved = (int(context.stack.parameters[name]) for name in ("MaxSessions", "ReservedConcurrency"))
    needed = sessions + _BESIDE_THE_AGENTS
    if allowed < needed:
        yield _finding(
            f"The account may run {allowed} functions at once; {sessions} sessions take about {needed}.",
            "Requests of agents and GitHub's deliveries are throttled: heartbeats are lost, and sessions fail.",
            f"Request an increase of Lambda's quota for concurrent executions to {needed} or more, or deploy with a "
            "smaller MaxSessions.",
        )
    to_reserve = _RESERVING * reserved
    if to_reserve and context.stack.status == NOT_DEPLOYED and unreserved - to_reserve < _KEPT_UNRESERVED:
        yield _finding(
            f"{unreserved} concurrent executions are unreserved; ReservedConcurrency={reserved} takes {to_reserve} of "
            f"them, and Lambda keeps {_KEPT_UNRESERVED}.",
            "The deployment fails at the function.",
            "Deploy with ReservedConcurrency=0, or request an increase of Lambda's quota for concurrent executions.",
        )


def _finding(problem: str, impact: str, remediation: str) -> Finding:
    return Finding("ConcurrentExecutions", problem, impact, remediation, "aws lambda get-account-settings")


CHECK = Check(
    name="lambda-quota",
    question="Does Lambda's concurrency suffice for the sessions, and for what the stack reserves of it?",
    run=run,
    actions=("lambda:GetAccountSettings",),
)
