"""What agents may connect to, for each value of `AgentEgress`."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.security_groups import group_rules
from tests.kit.stack_template import MODES, evaluated, read_template, refusals
from tests.tools.public_addresses import NOT_PUBLIC, public_ranges

if TYPE_CHECKING:
    from tests.kit.security_groups import Rule

    Document = dict[str, Any]

GIVEN = MODES["own"]
ENDPOINTS, PRIVATE = "sg-0fedcba9876543210", "10.9.8.7/32"
EXCEPTIONS = {"VpcEndpointSecurityGroupId": ENDPOINTS, "AgentPrivateCidr": PRIVATE}
TO_EXCEPTIONS = {("out", "tcp", 443, 443, ENDPOINTS), ("out", "tcp", 443, 443, PRIVATE)}
TO_INTERNET = {("out", "tcp", 443, 443, str(each)) for each in public_ranges()}
# "Amazon VPC: Amazon VPC quotas", inbound or outbound rules per security group.
MOST_RULES = 60


def out_of(template: Document, group: str, **parameters: str) -> set[Rule]:
    """The outbound rules of a group; none stands there twice."""
    resources = evaluated(template, GIVEN | parameters)["Resources"]
    rules = {rule for rule in group_rules(resources)[group] if rule[0] == "out"}
    assert len(rules) == len(resources[group]["Properties"]["SecurityGroupEgress"])
    return rules


def test_open_is_the_default_and_reaches_every_address(expanded_template: Document) -> None:
    everywhere = {("out", "tcp", port, port, "0.0.0.0/0") for port in (443, 80)}
    assert everywhere == out_of(expanded_template, "AgentSecurityGroup")
    assert everywhere == out_of(expanded_template, "AgentSecurityGroup", AgentEgress="open")


def test_internet_reaches_public_addresses_alone(expanded_template: Document) -> None:
    assert out_of(expanded_template, "AgentSecurityGroup", AgentEgress="internet") == TO_INTERNET


def test_internet_with_its_exceptions_stays_within_the_quota(expanded_template: Document) -> None:
    rules = out_of(expanded_template, "AgentSecurityGroup", AgentEgress="internet", **EXCEPTIONS)
    assert rules == TO_INTERNET | TO_EXCEPTIONS
    assert len(rules) <= MOST_RULES


def test_the_public_ranges_and_what_is_not_public_are_all_addresses_each_once() -> None:
    parts = sorted([*public_ranges(), *map(IPv4Network, NOT_PUBLIC)])
    assert (int(parts[0][0]), int(parts[-1][-1])) == (0, 2**32 - 1)
    assert all(int(before[-1]) + 1 == int(after[0]) for before, after in itertools.pairwise(parts))


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255", "198.19.0.1"),
        *("169.254.169.254", "169.254.170.2", "127.0.0.1", "224.0.0.251", "240.0.0.1", "255.255.255.255"),
    ],
)
def test_no_public_range_holds_an_address_that_is_not_the_internets(address: str) -> None:
    assert not any(IPv4Address(address) in each for each in public_ranges())


@pytest.mark.parametrize("address", ["9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "223.255.255.255"])
def test_the_public_ranges_hold_the_internets_addresses(address: str) -> None:
    assert any(IPv4Address(address) in each for each in public_ranges())


@pytest.mark.parametrize(("name", "value"), EXCEPTIONS.items())
def test_an_exception_in_vain_is_refused(name: str, value: str) -> None:
    template = read_template()
    assert "agents reach every address already" in refusals(template, GIVEN | {name: value})[0]
    assert refusals(template, GIVEN | {name: value, "AgentEgress": "internet"}) == []
