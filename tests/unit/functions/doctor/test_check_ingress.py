"""The security groups before and behind the proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.functions.doctor.account import (
    AGENT_GROUP,
    EVERYTHING_OUT,
    LOAD_BALANCER,
    LOAD_BALANCER_GROUP,
    OTHER_GROUP,
    PROXY_GROUP,
    Account,
    tcp,
)

from cloud_agent_doctor.checks import agent_ingress, proxy_ingress
from cloud_agent_doctor.engine.findings import Finding, Status

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.check import Check

HOPS = [
    pytest.param(proxy_ingress.CHECK, PROXY_GROUP, LOAD_BALANCER_GROUP, (8080,), id="proxy"),
    pytest.param(agent_ingress.CHECK, AGENT_GROUP, PROXY_GROUP, (3000, 23300), id="agents"),
]


def _said(ports: tuple[int, ...]) -> str:
    return ", ".join(map(str, ports))


def only(account: Account, check: Check) -> Finding:
    (finding,) = account.outcome(check).findings
    return finding


@pytest.mark.parametrize(("check", "target", "source", "ports"), HOPS)
def test_a_deleted_group_that_is_admitted_in_place_of_the_right_one_is_named(
    account: Account, check: Check, target: str, source: str, ports: tuple[int, ...]
) -> None:
    account.groups[target]["IpPermissions"] = [tcp(port, groups=["sg-gone"]) for port in ports]
    finding = only(account, check)
    assert f"admits TCP {_said(ports)} from security group sg-gone (deleted)" in finding.problem
    assert f"is in {source}" in finding.problem


@pytest.mark.parametrize(("check", "target", "source", "ports"), HOPS)
def test_a_group_that_admits_nobody_is_a_finding(
    account: Account, check: Check, target: str, source: str, ports: tuple[int, ...]
) -> None:
    account.groups[target]["IpPermissions"] = []
    finding = only(account, check)
    assert f"{target} of " in finding.problem
    assert f"admits TCP {_said(ports)} from nobody; " in finding.problem
    assert source in finding.problem


@pytest.mark.parametrize(("check", "target", "source", "ports"), HOPS)
def test_another_port_does_not_admit(
    account: Account, check: Check, target: str, source: str, ports: tuple[int, ...]
) -> None:
    account.groups[target]["IpPermissions"] = [tcp(ports[0] + 1, groups=[source])]
    shut, wide = account.outcome(check).findings
    assert "from nobody" in shut.problem
    assert f"tcp {ports[0] + 1} from security group {source}" in wide.problem


@pytest.mark.parametrize(("check", "target", "source", "ports"), HOPS)
def test_whatever_is_wider_is_one_finding_that_lists_it(
    account: Account, check: Check, target: str, source: str, ports: tuple[int, ...]
) -> None:
    port = ports[0]
    account.groups[target]["IpPermissions"] += [
        tcp(port, groups=[OTHER_GROUP, target]),
        tcp(port, ranges=["0.0.0.0/0"]),
        tcp(1, last=65535, groups=[source]),
        EVERYTHING_OUT,
    ]
    finding = only(account, check)
    for words in (
        f"tcp {port} from security group {OTHER_GROUP}",
        f"tcp {port} from security group {target}",
        f"tcp {port} from address range 0.0.0.0/0",
        "tcp 1-65535 from security group",
        "everything from address range 0.0.0.0/0",
    ):
        assert words in finding.problem


@pytest.mark.parametrize(("check", "target", "source", "ports"), HOPS)
def test_a_group_that_lets_nothing_out_is_a_finding_about_it(
    account: Account, check: Check, target: str, source: str, ports: tuple[int, ...]
) -> None:
    account.groups[source]["IpPermissionsEgress"] = [tcp(443, ranges=["0.0.0.0/0"])]
    finding = only(account, check)
    assert source == finding.resource
    assert f"lets no TCP {_said(ports)} out to {target}" in finding.problem


@pytest.mark.parametrize(("check", "target"), [(proxy_ingress.CHECK, PROXY_GROUP), (agent_ingress.CHECK, AGENT_GROUP)])
def test_a_deleted_group_is_one_finding(account: Account, check: Check, target: str) -> None:
    del account.groups[target]
    assert f"The security group {target} of " in only(account, check).problem


def test_a_service_in_another_group_is_a_finding_and_its_real_group_is_judged(account: Account) -> None:
    assert account.service is not None
    account.service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"] = [OTHER_GROUP]
    other, shut, wide, out = account.outcome(proxy_ingress.CHECK).findings
    assert f"runs its tasks in {OTHER_GROUP}; the stack's group is {PROXY_GROUP}" in other.problem
    assert {OTHER_GROUP} == {shut.resource, wide.resource}
    assert out.resource == LOAD_BALANCER_GROUP


def test_a_further_group_of_the_service_is_a_finding(account: Account) -> None:
    assert account.service is not None
    account.service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"].append(AGENT_GROUP)
    problems = [one.problem for one in account.outcome(proxy_ingress.CHECK).findings]
    assert f"runs its tasks in {PROXY_GROUP}, {AGENT_GROUP}; the stack's group is {PROXY_GROUP}." in problems[0]
    assert "tcp 3000 from security group" in problems[1]


def test_what_is_judged_is_the_group_that_the_load_balancer_really_has(account: Account) -> None:
    account.load_balancers[LOAD_BALANCER]["SecurityGroups"] = ["sg-new"]
    account.groups["sg-new"] = account.groups[LOAD_BALANCER_GROUP] | {"GroupId": "sg-new"}
    finding = only(account, proxy_ingress.CHECK)
    assert f"security group {LOAD_BALANCER_GROUP} (LoadBalancerSecurityGroup)" in finding.problem
    assert "is in sg-new" in finding.problem
    assert "LoadBalancerSecurityGroupId=sg-new" in finding.remediation


def test_one_of_the_load_balancers_groups_is_enough(account: Account) -> None:
    account.load_balancers[LOAD_BALANCER]["SecurityGroups"].append("sg-more")
    account.groups["sg-more"] = account.groups[LOAD_BALANCER_GROUP] | {"GroupId": "sg-more"}
    assert Status.HEALTHY is account.outcome(proxy_ingress.CHECK).status


def test_visitors_who_are_not_admitted_are_a_finding(account: Account) -> None:
    account.groups[LOAD_BALANCER_GROUP]["IpPermissions"] = [tcp(80, ranges=["0.0.0.0/0"])]
    assert "doesn't admit TCP 443 from 0.0.0.0/0" in only(account, proxy_ingress.CHECK).problem


def test_some_of_the_visitors_are_not_all(account: Account) -> None:
    narrow = [tcp(443, ranges=["198.51.100.0/24"]), tcp(80, ranges=["0.0.0.0/0"])]
    account.groups[LOAD_BALANCER_GROUP]["IpPermissions"] = narrow
    shut, beyond = account.outcome(proxy_ingress.CHECK).findings
    assert "doesn't admit TCP 443 from 0.0.0.0/0" in shut.problem
    assert "tcp 443 from address range 198.51.100.0/24." in beyond.problem


def test_more_visitors_than_are_meant_are_a_finding(account: Account) -> None:
    account.parameters["VisitorCidr"] = "198.51.100.0/24"
    finding = only(account, proxy_ingress.CHECK)
    assert "tcp 443 from address range 0.0.0.0/0; tcp 80 from address range 0.0.0.0/0" in finding.problem


def test_visitors_by_a_range_that_ec2_writes_without_its_last_bits_are_who_is_meant(account: Account) -> None:
    account.parameters["VisitorCidr"] = "198.51.100.7/24"
    account.groups[LOAD_BALANCER_GROUP]["IpPermissions"] = [
        tcp(443, ranges=["198.51.100.0/24"]),
        tcp(80, ranges=["198.51.100.0/24"]),
    ]
    assert Status.HEALTHY is account.outcome(proxy_ingress.CHECK).status


def test_who_visits_a_shared_load_balancer_is_not_the_stacks_business(account: Account) -> None:
    account.use_existing()
    account.groups[OTHER_GROUP]["IpPermissions"] = []
    assert Status.HEALTHY is account.outcome(proxy_ingress.CHECK).status


def test_a_shared_load_balancer_that_lets_nothing_out_is_fixed_where_it_is_created(account: Account) -> None:
    account.use_existing()
    account.groups[OTHER_GROUP]["IpPermissionsEgress"] = []
    finding = only(account, proxy_ingress.CHECK)
    assert finding.logical_ids == ()
    assert f"In the template that owns {OTHER_GROUP}" in finding.remediation


def test_without_a_load_balancer_the_group_that_the_template_means_is_to_be_admitted(account: Account) -> None:
    account.delete_load_balancer()
    assert Status.HEALTHY is account.outcome(proxy_ingress.CHECK).status
    account.groups[PROXY_GROUP]["IpPermissions"] = [tcp(8080, groups=["sg-gone"])]
    finding = only(account, proxy_ingress.CHECK)
    assert f"the load balancer that's gone, is in {LOAD_BALANCER_GROUP}" in finding.problem


def test_a_group_that_went_with_the_load_balancer_is_a_finding(account: Account) -> None:
    account.delete_load_balancer()
    del account.groups[LOAD_BALANCER_GROUP]
    assert (
        f"{LOAD_BALANCER_GROUP} of the load balancer that's gone, doesn't exist."
        == only(account, proxy_ingress.CHECK).problem
    )


def test_without_a_service_the_stacks_group_is_judged(account: Account) -> None:
    account.service = None
    assert Status.HEALTHY is account.outcome(proxy_ingress.CHECK).status
    account.groups[PROXY_GROUP]["IpPermissions"] = []
    assert only(account, proxy_ingress.CHECK).resource == PROXY_GROUP


@pytest.mark.parametrize(("side", "says"), [("IpPermissions", "admits"), ("IpPermissionsEgress", "lets no")])
def test_one_of_the_agents_ports_is_not_both(account: Account, side: str, says: str) -> None:
    group = AGENT_GROUP if side == "IpPermissions" else PROXY_GROUP
    account.groups[group][side] = [one for one in account.groups[group][side] if one["FromPort"] != 23300]
    assert f"{says} TCP 23300 " in only(account, agent_ingress.CHECK).problem
