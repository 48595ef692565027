"""Does the account have the service-linked role of Amazon ECS?

ECS creates it with the account's first cluster, and that cluster's creation may come before IAM knows the role: the
first deployment then fails with "Unable to assume the service linked role", and its rollback stops at the load
balancer's deletion protection. An account that has the role is past that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

ROLE: Final = "AWSServiceRoleForECS"


def run(context: CheckContext) -> Iterator[Finding]:
    """Find that the role is missing."""
    if context.aws.describe("iam", "get_role", missing=["NoSuchEntity"], RoleName=ROLE) is None:
        yield Finding(
            resource=ROLE,
            problem=f"The account has no role {ROLE}: no ECS cluster was ever created in it.",
            impact="The first deployment may fail at the cluster, and then can't roll back.",
            remediation="Run `aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`, once.",
            confirm=f"aws iam get-role --role-name {ROLE}",
        )


CHECK = Check(
    name="service-linked-role",
    question="Does the account have the service-linked role of Amazon ECS?",
    run=run,
    actions=("iam:GetRole",),
)
