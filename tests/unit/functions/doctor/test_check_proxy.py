"""The proxy's service, and the health that the load balancer sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.functions.doctor.account import PROXY_REVISION, TARGET_GROUP, Account

from cloud_agent_doctor.checks import proxy_service, target_health
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding, Status

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.context import CheckContext


def only(account: Account, check: Check = proxy_service.CHECK) -> Finding:
    (finding,) = account.outcome(check).findings
    return finding


def change(account: Account, deployment: dict[str, Any] | None = None, **service: object) -> None:
    assert account.service is not None
    account.service |= service
    account.service["deployments"][0] |= deployment or {}


def test_a_service_that_is_gone_is_a_finding(account: Account) -> None:
    account.service = None
    assert "doesn't exist" in only(account).problem


@pytest.mark.parametrize(("status", "words"), [("INACTIVE", "doesn't exist"), ("DRAINING", "is in status DRAINING")])
def test_a_deleted_service_is_a_finding(account: Account, status: str, words: str) -> None:
    change(account, status=status)
    assert words in only(account).problem


def test_a_desired_count_that_the_stack_does_not_say_is_a_finding(account: Account) -> None:
    change(account, desiredCount=1, runningCount=1)
    finding = only(account)
    assert "set to run 1 tasks; the parameter ProxyDesiredCount says 2" in finding.problem
    assert finding.logical_ids == ("ProxyService",)


def test_a_desired_count_of_zero_is_reported_as_such(account: Account) -> None:
    change(account, desiredCount=0, runningCount=0)
    finding = only(account)
    assert "set to run no tasks" in finding.problem
    assert "503" in finding.impact


def test_another_revision_than_the_stacks_is_a_finding(account: Account) -> None:
    change(account, taskDefinition=PROXY_REVISION.replace(":5", ":2"))
    finding = only(account)
    assert "runs revision 2, the stack's is 5" in finding.problem
    assert finding.logical_ids == ("ProxyTaskDefinition",)


def test_a_deployment_that_the_circuit_breaker_gave_up_is_reported_with_its_reason(account: Account) -> None:
    reason = "ECS deployment circuit breaker: tasks failed to start."
    change(account, {"rolloutState": "FAILED", "rolloutStateReason": reason}, runningCount=0)
    assert f"failed: {reason} 0 of 2 tasks are running." in only(account).problem


def test_tasks_that_do_not_run_are_a_finding_with_the_last_word_of_ecs(account: Account) -> None:
    event = {"id": "2", "createdAt": datetime.now(UTC), "message": "(service proxy) was unable to place a task."}
    change(account, {"failedTasks": 3}, runningCount=1, events=[event])
    problem = only(account).problem
    assert "1 of 2 tasks are running, 3 failed to start" in problem
    assert "unable to place a task" in problem


@pytest.mark.parametrize(("minutes", "expected"), [(14, 0), (16, 1)])
def test_a_deployment_may_take_a_quarter_of_an_hour(account: Account, minutes: int, expected: int) -> None:
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    change(account, {"rolloutState": "IN_PROGRESS", "createdAt": since}, runningCount=0)
    findings = account.outcome(proxy_service.CHECK).findings
    assert expected == len(findings)
    assert all("is still in progress: 0 of 2 tasks are running" in one.problem for one in findings)


def environment_with(*logical_ids: str) -> Check:
    """Another check before it, that has told of these resources."""

    def run(_: CheckContext) -> list[Finding]:
        return [Finding("revision 2", "SESSION_TABLE", "x", "x", "x", logical_ids)]

    return Check("environment", "?", run, ())


def test_a_revision_whose_environment_is_wrong_is_reported_once(account: Account) -> None:
    change(account, {"rolloutState": "FAILED"}, taskDefinition=PROXY_REVISION.replace(":5", ":2"), runningCount=0)
    assert len(account.outcome(proxy_service.CHECK).findings) == 2
    report = account.report([environment_with("ProxyTaskDefinition"), proxy_service.CHECK])
    assert [outcome.check for outcome in report.broken] == ["environment"]
    assert len(report.outcomes[-1].suppressed) == 2


def test_a_count_that_was_changed_is_reported_beside_a_wrong_environment(account: Account) -> None:
    change(account, desiredCount=0, runningCount=0)
    report = account.report([environment_with("ProxyTaskDefinition"), proxy_service.CHECK])
    assert [outcome.check for outcome in report.broken] == ["environment", "proxy-service"]


# ---------------------------------------------------------------------- target-health


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("unhealthy", "Target.Timeout", "a security group"),
        ("unhealthy", "Target.FailedHealthChecks", "the program isn't running"),
        ("unhealthy", "Target.ResponseCodeMismatch", "/health responds, but not with 200"),
        ("unhealthy", "Elb.InternalError", "failed internally"),
        ("unused", "Target.NotInUse", "Availability Zone"),
        ("unavailable", "Target.HealthCheckDisabled", "health checks are disabled"),
    ],
)
def test_a_target_that_gets_no_visitors_is_reported_with_the_reasons_cause(
    account: Account, state: str, reason: str, words: str
) -> None:
    account.targets[0] = Account.target("10.0.2.10", state, reason, "As AWS says it")
    finding = only(account, target_health.CHECK)
    assert f"reports 10.0.2.10:8080 as {state}: {reason} (As AWS says it); " in finding.problem
    assert words in finding.problem
    assert finding.resource == TARGET_GROUP


def test_targets_of_one_reason_are_one_finding(account: Account) -> None:
    account.targets = [Account.target(f"10.0.2.{n}", "unhealthy", "Target.Timeout", "x") for n in (10, 11)]
    assert "10.0.2.10:8080, 10.0.2.11:8080" in only(account, target_health.CHECK).problem


def test_targets_that_come_and_go_are_no_finding(account: Account) -> None:
    account.targets = [
        Account.target("10.0.2.10"),
        Account.target("10.0.2.12", "initial", "Elb.RegistrationInProgress", "x"),
        Account.target("10.0.2.11", "draining", "Target.DeregistrationInProgress", "x"),
    ]
    assert Status.HEALTHY is account.outcome(target_health.CHECK).status


def test_tasks_that_are_not_registered_are_a_finding(account: Account) -> None:
    del account.targets[0]
    assert "Only 1 targets are registered, 1 of them healthy" in only(account, target_health.CHECK).problem


def test_a_target_that_is_leaving_does_not_count(account: Account) -> None:
    account.targets[0] = Account.target("10.0.2.10", "draining", "Target.DeregistrationInProgress", "x")
    assert "Only 1 targets are registered" in only(account, target_health.CHECK).problem


def test_a_task_that_does_not_run_yet_is_not_missed(account: Account) -> None:
    del account.targets[0]
    change(account, runningCount=1)
    assert Status.HEALTHY is account.outcome(target_health.CHECK).status


def test_every_reason_that_aws_knows_for_a_target_without_visitors_has_a_cause() -> None:
    model = Account().client("elbv2").meta.service_model.shape_for("TargetHealthReasonEnum")
    passing = {"Elb.RegistrationInProgress", "Elb.InitialHealthChecking", "Target.DeregistrationInProgress"}
    assert set(model.enum) - passing == set(target_health._CAUSES)  # noqa: SLF001 - the table itself is the promise
