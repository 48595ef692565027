"""The checks in the order of the path: first what everything stands on, then from the browser to the dev server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_agent_doctor.checks import (
    agent_egress,
    agent_ingress,
    branch_protection,
    certificate,
    dns_record,
    environment,
    github_app,
    images,
    listener,
    listener_rule,
    load_balancer,
    orphans,
    proxy_ingress,
    proxy_service,
    roles,
    secrets,
    session,
    stack,
    stack_drift,
    state_machine,
    target_group,
    target_health,
    webhook,
    workspace_user,
)

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.check import Check

CHECKS: Final[tuple[Check, ...]] = (
    stack.CHECK,
    dns_record.CHECK,
    certificate.CHECK,
    load_balancer.CHECK,
    listener.CHECK,
    listener_rule.CHECK,
    target_group.CHECK,
    proxy_ingress.CHECK,
    environment.CHECK,
    proxy_service.CHECK,
    images.CHECK,
    target_health.CHECK,
    agent_ingress.CHECK,
    agent_egress.CHECK,
    session.CHECK,
    github_app.CHECK,
    webhook.CHECK,
    secrets.CHECK,
    roles.CHECK,
    state_machine.CHECK,
    stack_drift.CHECK,
    orphans.CHECK,
    branch_protection.CHECK,
    workspace_user.CHECK,
)
