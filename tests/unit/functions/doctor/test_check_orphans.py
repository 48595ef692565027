from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.functions.doctor.account import (
    HTTPS_LISTENER,
    OTHER_GROUP,
    OTHER_LISTENER,
    OTHER_TARGET_GROUP,
    PROXY_GROUP,
    RULE,
    TARGET_GROUP,
    WILDCARD,
    Account,
    forward,
    host_rule,
    long_ago,
)

from cloud_agent_doctor.checks.orphans import CHECK
from cloud_agent_doctor.engine.findings import Finding, Status

TAG = "aws:cloudformation:stack-name"


def found(account: Account) -> list[str]:
    return [one.resource for one in account.outcome(CHECK).findings]


def only(account: Account) -> Finding:
    (finding,) = account.outcome(CHECK).findings
    return finding


def add_group(account: Account, name: str = "cloud-agent-old", **tags: str) -> None:
    account.groups["sg-left"] = account.groups[PROXY_GROUP] | {
        "GroupId": "sg-left",
        "GroupName": name,
        "Tags": [{"Key": TAG, "Value": value} for value in tags.values()],
    }


def test_a_group_that_nobody_has_is_found_by_name_or_by_tag(account: Account) -> None:
    add_group(account)
    assert found(account) == ["sg-left"]
    add_group(account, "anything", stack="cloud-agent")
    assert found(account) == ["sg-left"]


def test_a_group_that_is_used_or_another_stacks_or_anybodys_is_none(account: Account) -> None:
    add_group(account)
    account.groups_in_use.add("sg-left")
    assert found(account) == []
    account.groups_in_use.remove("sg-left")
    add_group(account, "cloud-agent-dev-Group", stack="cloud-agent-dev")
    assert found(account) == []
    add_group(account, "default")
    assert found(account) == []


def test_what_the_stack_manages_is_never_one(account: Account) -> None:
    account.groups_in_use.clear()
    for group in account.groups.values():
        group["GroupName"] = f"cloud-agent-{group['GroupId']}"
    del account.groups[OTHER_GROUP]
    account.target_groups[TARGET_GROUP]["LoadBalancerArns"] = []
    account.delete_load_balancer()
    assert Status.HEALTHY is account.outcome(CHECK).status


@pytest.mark.parametrize(
    ("name", "tags", "load_balancers", "expected"),
    [
        ("cloud-agent-old", {}, [], True),
        ("any", {TAG: "cloud-agent"}, [], True),
        ("cloud-agent-old", {TAG: "cloud-agent-dev"}, [], False),
        ("any", {}, [], False),
        ("cloud-agent-old", {}, ["arn:lb"], False),
    ],
)
def test_a_target_group_that_no_load_balancer_has_is_found(
    account: Account, name: str, tags: dict[str, str], load_balancers: list[str], *, expected: bool
) -> None:
    account.target_groups["arn:left"] = account.target_groups[TARGET_GROUP] | {
        "TargetGroupArn": "arn:left",
        "TargetGroupName": name,
        "LoadBalancerArns": load_balancers,
    }
    account.tags |= {"arn:left": tags} if tags else {}
    assert expected is (found(account) == ["arn:left"])


def test_more_target_groups_than_aws_tells_tags_of_at_once_are_asked_in_parts(account: Account) -> None:
    for number in range(41):
        arn = f"arn:left-{number}"
        account.target_groups[arn] = account.target_groups[TARGET_GROUP] | {
            "TargetGroupArn": arn,
            "TargetGroupName": f"cloud-agent-{number}",
            "LoadBalancerArns": [],
        }
    assert len(found(account)) == 41


def test_a_rule_for_our_names_that_leads_elsewhere_on_another_load_balancer_is_found(account: Account) -> None:
    account.rules[OTHER_LISTENER].append(host_rule("arn:left", "7", WILDCARD, forward(OTHER_TARGET_GROUP)))
    finding = only(account)
    assert finding.resource == "arn:left"
    assert f"the rule of priority 7 for {WILDCARD} forwards to shop" in finding.problem


def test_a_rule_on_the_load_balancer_in_use_is_left_to_its_own_check(account: Account) -> None:
    account.rules[HTTPS_LISTENER].append(host_rule("arn:left", "7", WILDCARD, forward(OTHER_TARGET_GROUP)))
    assert found(account) == []


def test_a_rule_for_other_names_or_to_our_proxy_or_of_the_stack_is_none(account: Account) -> None:
    account.rules[OTHER_LISTENER] += [
        host_rule("arn:1", "1", "shop.example.com", forward(OTHER_TARGET_GROUP)),
        host_rule("arn:2", "2", "*.example.com", forward(OTHER_TARGET_GROUP)),
        host_rule("arn:3", "3", WILDCARD, forward(TARGET_GROUP)),
        host_rule(RULE, "4", WILDCARD, forward(OTHER_TARGET_GROUP)),
    ]
    assert found(account) == []


@pytest.mark.parametrize(
    ("status", "age", "expected"),
    [
        ("RUNNING", 60, ""),
        ("STARTING", 60, ""),
        ("QUEUED", 60, ""),
        ("COMPLETED", 60, "its session 0123abcd is COMPLETED"),
        ("FAILED", 60, "its session 0123abcd is FAILED"),
        (None, 60, "its session 0123abcd is unknown"),
        ("COMPLETED", 14, ""),
    ],
)
def test_a_task_whose_session_is_over_is_found(account: Account, status: str | None, age: int, expected: str) -> None:
    created = datetime.now(UTC) - timedelta(minutes=age)
    account.tasks = [{"taskArn": "arn:task", "group": "session:0123abcd", "createdAt": created}]
    account.sessions = {"0123abcd": status} if status else {}
    problems = [one.problem for one in account.outcome(CHECK).findings]
    assert bool(expected) is bool(problems)
    assert all(expected in problem for problem in problems)


def test_a_task_that_somebody_started_by_hand_is_found(account: Account) -> None:
    account.tasks = [{"taskArn": "arn:task", "group": "family:agent", "createdAt": long_ago()}]
    assert "its session (none) is unknown" in only(account).problem


def test_what_may_not_be_looked_at_keeps_nobody_from_the_rest(account: Account) -> None:
    add_group(account)
    account.tasks = [{"taskArn": "arn:task", "createdAt": long_ago()}]
    account.denied = {"elasticloadbalancing:DescribeTargetGroups"}
    outcome = account.outcome(CHECK)
    assert Status.UNKNOWN is outcome.status
    assert [one.resource for one in outcome.findings] == ["sg-left", "arn:task"]
