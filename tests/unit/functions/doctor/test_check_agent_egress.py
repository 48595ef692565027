"""What agents reach in the VPC and what keeps them from the egress proxy, with AgentEgress other than open."""

from __future__ import annotations

import pytest
from tests.unit.functions.doctor.account import AGENT_GROUP, OTHER_GROUP, VPC_CIDR, Account, tcp

from cloud_agent_doctor.checks.agent_egress import CHECK
from cloud_agent_doctor.engine.findings import Finding, Status

EGRESS_PROXY_GROUP, ENDPOINTS = "sg-0ee", "sg-0ff"
PUBLIC = tcp(443, ranges=["8.0.0.0/7", "11.0.0.0/8"])
TO_PROXY, TO_ENDPOINTS = tcp(3128, groups=[EGRESS_PROXY_GROUP]), tcp(443, groups=[ENDPOINTS])


@pytest.fixture
def listed(account: Account) -> Account:
    """Healthy, with AgentEgress=listed."""
    account.parameters["AgentEgress"] = "listed"
    account.resources["EgressProxySecurityGroup"] = ("AWS::EC2::SecurityGroup", EGRESS_PROXY_GROUP)
    account.groups[AGENT_GROUP]["IpPermissionsEgress"] = [TO_PROXY, TO_ENDPOINTS]
    account.groups[EGRESS_PROXY_GROUP] = account.groups[AGENT_GROUP] | {
        "GroupId": EGRESS_PROXY_GROUP,
        "IpPermissions": [tcp(3128, groups=[AGENT_GROUP])],
        "IpPermissionsEgress": [PUBLIC],
    }
    return account


@pytest.fixture
def internet(account: Account) -> Account:
    """Healthy, with AgentEgress=internet."""
    account.parameters["AgentEgress"] = "internet"
    account.groups[AGENT_GROUP]["IpPermissionsEgress"] = [PUBLIC]
    return account


def found(account: Account) -> list[Finding]:
    return list(account.outcome(CHECK).findings)


def test_it_does_not_apply_to_open_egress(account: Account) -> None:
    assert account.outcome(CHECK).status is Status.NOT_APPLICABLE


def test_healthy_stacks_have_no_finding(listed: Account) -> None:
    assert found(listed) == []
    listed.parameters["AgentEgress"] = "internet"
    listed.groups[AGENT_GROUP]["IpPermissionsEgress"] = [PUBLIC, TO_ENDPOINTS]
    assert found(listed) == []


@pytest.mark.parametrize("out", ["0.0.0.0/0", VPC_CIDR, "10.0.3.0/24"])
def test_a_way_into_the_vpc_is_found(internet: Account, out: str) -> None:
    internet.groups[AGENT_GROUP]["IpPermissionsEgress"] += [tcp(443, ranges=[out])]
    (finding,) = found(internet)
    assert f"with AgentEgress=internet: tcp 443 to address range {out}." in finding.problem
    assert finding.logical_ids == ("AgentSecurityGroup",)


def test_a_vpc_of_public_addresses_is_found(internet: Account) -> None:
    internet.parameters["VpcCidr"] = "11.1.0.0/16"
    (finding,) = found(internet)
    assert "tcp 443 to address range 11.0.0.0/8" in finding.problem


def test_the_private_range_that_is_meant_to_be_reached_is_none(internet: Account) -> None:
    internet.groups[AGENT_GROUP]["IpPermissionsEgress"] += [tcp(443, ranges=["10.0.3.7/32"])]
    internet.parameters["AgentPrivateCidr"] = "10.0.3.7/32"
    assert found(internet) == []


def test_agents_that_are_not_let_out_to_the_egress_proxy_are_found(listed: Account) -> None:
    listed.groups[AGENT_GROUP]["IpPermissionsEgress"] = [TO_ENDPOINTS]
    (finding,) = found(listed)
    assert "lets no TCP 3128 out to the egress proxy" in finding.problem
    assert "sessions fail as they start" in finding.impact


@pytest.mark.parametrize("rules", [[], [tcp(3129, groups=[AGENT_GROUP])], [tcp(3128, groups=[OTHER_GROUP])]])
def test_an_egress_proxy_that_does_not_admit_the_agents_is_found(
    listed: Account, rules: list[dict[str, object]]
) -> None:
    listed.groups[EGRESS_PROXY_GROUP]["IpPermissions"] = rules
    shut, *wide = found(listed)
    assert "doesn't admit TCP 3128 from the agents" in shut.problem
    assert len(wide) == len(rules)


@pytest.mark.parametrize("rule", [tcp(3128, ranges=[VPC_CIDR]), tcp(3128, groups=[OTHER_GROUP])])
def test_an_egress_proxy_that_admits_others_is_found(listed: Account, rule: dict[str, object]) -> None:
    listed.groups[EGRESS_PROXY_GROUP]["IpPermissions"] += [rule]
    (finding,) = found(listed)
    assert "admits more than the agents on TCP 3128: tcp 3128 from " in finding.problem
    assert finding.logical_ids == ("EgressProxySecurityGroup", "EgressProxyIngress")


@pytest.mark.parametrize(("group", "problems"), [(EGRESS_PROXY_GROUP, 1), (AGENT_GROUP, 0)])
def test_a_group_that_is_gone_is_found_by_one_check_alone(listed: Account, group: str, problems: int) -> None:
    """The agents' by agent-ingress."""
    del listed.groups[group]
    assert len(found(listed)) == problems
