"""`cloud-agent doctor --first-run`: is the account ready for the stack, before or right after its first deployment?

Each check is a claim of docs/aws-assumptions.md, or a prerequisite, that AWS itself confirms by a read-only call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_agent_cli.first_run import (
    addresses,
    certificates,
    fargate_quota,
    hosted_zone,
    images,
    lambda_quota,
    model_access,
    service_linked_role,
    workflow_definition,
    workflow_role,
)

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.check import Check

CHECKS: Final[tuple[Check, ...]] = (
    service_linked_role.CHECK,
    hosted_zone.CHECK,
    certificates.CHECK,
    images.CHECK,
    addresses.CHECK,
    fargate_quota.CHECK,
    lambda_quota.CHECK,
    model_access.CHECK,
    workflow_definition.CHECK,
    workflow_role.CHECK,
)
