"""The checks of the visitor's path together: each fault has one finding, and the incident's faults each have theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.functions.doctor.account import (
    AGENT_GROUP,
    HTTP_LISTENER,
    HTTPS_LISTENER,
    LOAD_BALANCER,
    LOAD_BALANCER_GROUP,
    OTHER_GROUP,
    OTHER_LISTENER,
    OTHER_LOAD_BALANCER,
    PROXY_GROUP,
    PROXY_REVISION,
    SERVICE,
    TARGET_GROUP,
    Account,
    long_ago,
    tcp,
)

from cloud_agent_doctor.checks import (
    agent_ingress,
    certificate,
    dns_record,
    listener,
    listener_rule,
    load_balancer,
    orphans,
    proxy_ingress,
    proxy_service,
    stack_drift,
    target_group,
    target_health,
)
from cloud_agent_doctor.engine.findings import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_doctor.engine.check import Check

PATH = tuple(
    module.CHECK
    for module in (
        dns_record,
        certificate,
        load_balancer,
        listener,
        listener_rule,
        target_group,
        proxy_ingress,
        proxy_service,
        target_health,
        agent_ingress,
        stack_drift,
        orphans,
    )
)


def told(account: Account) -> list[tuple[str, str]]:
    """The findings of a walk along the whole path: the check's name and what each is about."""
    return [(outcome.check, one.resource) for outcome in account.report(PATH).outcomes for one in outcome.findings]


def test_a_healthy_stack_has_no_findings(account: Account) -> None:
    report = account.report(PATH)
    assert {Status.HEALTHY} == {outcome.status for outcome in report.outcomes}, report
    assert report.exit_code == 0


def test_a_healthy_stack_on_a_shared_load_balancer_has_no_findings(account: Account) -> None:
    account.use_existing()
    report = account.report(PATH)
    assert {Status.HEALTHY} == {outcome.status for outcome in report.outcomes}, report


def drift(account: Account, logical_id: str, status: str = "DELETED") -> None:
    """CloudFormation sees it as well."""
    type_, physical_id = account.resources[logical_id]
    difference = {"PropertyPath": "/X", "ExpectedValue": "1", "ActualValue": "2", "DifferenceType": "NOT_EQUAL"}
    account.drifts.append(
        {
            "StackId": "cloud-agent",
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": type_,
            "StackResourceDriftStatus": status,
            "Timestamp": long_ago(),
            "PropertyDifferences": [difference] if status == "MODIFIED" else [],
        }
    )


def delete_the_load_balancer(account: Account) -> None:
    account.delete_load_balancer()
    for name in ("ApplicationLoadBalancer", "HttpsListener", "HttpListener", "UatListenerRule"):
        drift(account, name)


def lead_the_name_elsewhere(account: Account) -> None:
    account.lead_dns_elsewhere()
    drift(account, "UatRecord", "MODIFIED")


def delete_the_rule(account: Account) -> None:
    del account.rules[HTTPS_LISTENER][0]
    account.target_groups[TARGET_GROUP]["LoadBalancerArns"] = []
    for target in account.targets:
        target["TargetHealth"] = {"State": "unused", "Reason": "Target.NotInUse"}
    drift(account, "UatListenerRule")


def delete_the_https_listener(account: Account) -> None:
    del account.listeners[HTTPS_LISTENER]
    account.target_groups[TARGET_GROUP]["LoadBalancerArns"] = []
    drift(account, "HttpsListener")
    drift(account, "UatListenerRule")


def delete_the_http_listener(account: Account) -> None:
    del account.listeners[HTTP_LISTENER]
    drift(account, "HttpListener")


def admit_another_group(account: Account) -> None:
    account.groups[PROXY_GROUP]["IpPermissions"] = [tcp(8080, groups=["sg-gone"])]
    for target in account.targets:
        target["TargetHealth"] = {"State": "unhealthy", "Reason": "Target.Timeout"}
    drift(account, "ProxySecurityGroup", "MODIFIED")


def shut_the_agents(account: Account) -> None:
    account.groups[AGENT_GROUP]["IpPermissions"] = []
    drift(account, "AgentSecurityGroup", "MODIFIED")


def change_the_health_check(account: Account) -> None:
    account.target_groups[TARGET_GROUP]["HealthCheckPath"] = "/"
    for target in account.targets:
        target["TargetHealth"] = {"State": "unhealthy", "Reason": "Target.ResponseCodeMismatch"}
    drift(account, "ProxyTargetGroup", "MODIFIED")


def run_an_old_revision(account: Account) -> None:
    assert account.service is not None
    account.service["taskDefinition"] = PROXY_REVISION.replace(":5", ":2")
    drift(account, "ProxyService", "MODIFIED")
    account.drifts[-1]["PropertyDifferences"][0]["PropertyPath"] = "/TaskDefinition"


def scale_to_nothing(account: Account) -> None:
    assert account.service is not None
    account.service |= {"desiredCount": 0, "runningCount": 0}
    account.targets.clear()
    drift(account, "ProxyService", "MODIFIED")


@pytest.mark.parametrize(
    ("break_it", "check", "resource"),
    [
        (delete_the_load_balancer, "load-balancer", LOAD_BALANCER),
        (lead_the_name_elsewhere, "dns-record", "*.uat.example.com"),
        (delete_the_https_listener, "listener", LOAD_BALANCER),
        (delete_the_http_listener, "listener", LOAD_BALANCER),
        (delete_the_rule, "listener-rule", HTTPS_LISTENER),
        (admit_another_group, "proxy-ingress", PROXY_GROUP),
        (shut_the_agents, "agent-ingress", AGENT_GROUP),
        (change_the_health_check, "target-group", TARGET_GROUP),
        (run_an_old_revision, "proxy-service", SERVICE),
        (scale_to_nothing, "proxy-service", SERVICE),
    ],
)
def test_each_fault_has_one_finding_by_its_own_check(
    account: Account, break_it: Callable[[Account], None], check: str, resource: str
) -> None:
    break_it(account)
    assert [(check, resource)] == told(account)


def test_a_deleted_load_balancer_and_a_closed_group_have_a_finding_each(account: Account) -> None:
    delete_the_load_balancer(account)
    admit_another_group(account)
    assert told(account) == [("load-balancer", LOAD_BALANCER), ("proxy-ingress", PROXY_GROUP)]


def test_the_faults_of_the_incident_each_have_their_finding(account: Account) -> None:
    delete_the_load_balancer(account)
    lead_the_name_elsewhere(account)
    report = account.report(PATH)
    assert [one.check for one in report.broken] == ["dns-record", "load-balancer", "listener-rule", "proxy-ingress"]
    assert report.finding_count == 4
    (ingress,) = report.broken[3].findings
    assert OTHER_GROUP in ingress.problem
    assert f"{LOAD_BALANCER_GROUP} (LoadBalancerSecurityGroup)" in ingress.problem


@pytest.mark.parametrize(
    ("break_it", "check", "resource"),
    [
        (lambda account: account.load_balancers.pop(OTHER_LOAD_BALANCER), "load-balancer", OTHER_LOAD_BALANCER),
        (lambda account: account.rules[OTHER_LISTENER].pop(0), "listener-rule", OTHER_LISTENER),
        (admit_another_group, "proxy-ingress", PROXY_GROUP),
    ],
    ids=["load balancer", "rule", "group"],
)
def test_each_fault_on_a_shared_load_balancer_has_one_finding_by_its_own_check(
    account: Account, break_it: Callable[[Account], None], check: str, resource: str
) -> None:
    account.use_existing()
    break_it(account)
    assert [(check, resource)] == told(account)


@pytest.mark.parametrize("check", PATH, ids=lambda check: check.name)
def test_a_check_asks_what_it_declares_and_nothing_else(check: Check) -> None:
    """In each of these worlds it asks a part; together they are what the doctor's role must allow."""
    asked: set[str] = set()
    worlds: list[Callable[[Account], None]] = [
        lambda _: None,
        Account.use_existing,
        Account.delete_load_balancer,
        leave_things_behind,
    ]
    for change in worlds:
        world = Account()
        change(world)
        world.outcome(check)
        asked |= world.asked
    by_the_engine = {"cloudformation:DescribeStacks", "cloudformation:ListStackResources"}
    assert set(check.actions) == asked - by_the_engine
    assert len(check.actions) == len(set(check.actions))


@pytest.mark.parametrize(("check", "action"), [(check, action) for check in PATH for action in check.actions])
def test_what_may_not_be_looked_at_is_named(check: Check, action: str) -> None:
    for change in (lambda _: None, Account.use_existing, Account.delete_load_balancer, leave_things_behind):
        world = Account()
        change(world)
        world.denied.add(action)
        outcome = world.outcome(check)
        if action in world.asked:
            assert (Status.UNKNOWN, f"not allowed: {action}") == (outcome.status, outcome.reason)
            return
    pytest.fail(f"{action} was never asked")


def leave_things_behind(account: Account) -> None:
    """What orphans looks at more closely."""
    account.target_groups["arn:left"] = account.target_groups[TARGET_GROUP] | {
        "TargetGroupArn": "arn:left",
        "LoadBalancerArns": [],
    }
    account.groups["sg-left"] = account.groups[PROXY_GROUP] | {"GroupId": "sg-left", "GroupName": "cloud-agent-old"}
    account.tasks.append({"taskArn": "arn:task", "group": "session:0123abcd", "createdAt": long_ago()})
