"""The path from the browser to the dev server: each hop admits the one before it, on one port, and nobody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.security_groups import group_name, group_rules
from tests.kit.stack_template import MODES, evaluated

if TYPE_CHECKING:
    from pathlib import Path

    Document = dict[str, Any]

INTERNET = "0.0.0.0/0"
LOAD_BALANCER, PROXY, AGENT = "LoadBalancerSecurityGroup", "ProxySecurityGroup", "AgentSecurityGroup"
VISITORS = "192.0.2.0/24"
BEHIND_THE_LOAD_BALANCER = {
    PROXY: {
        ("out", "tcp", 3000, 3000, AGENT),
        ("out", "tcp", 23300, 23300, AGENT),
        ("out", "tcp", 443, 443, INTERNET),
    },
    AGENT: {
        ("in", "tcp", 3000, 3000, PROXY),
        ("in", "tcp", 23300, 23300, PROXY),
        ("out", "tcp", 443, 443, INTERNET),
        ("out", "tcp", 80, 80, INTERNET),
    },
}
OWN = {
    LOAD_BALANCER: {
        ("in", "tcp", 443, 443, VISITORS),
        ("in", "tcp", 80, 80, VISITORS),
        ("out", "tcp", 8080, 8080, PROXY),
    },
}
ADMITTED = {"own": LOAD_BALANCER, "existing": MODES["existing"]["LoadBalancerSecurityGroupId"]}


@pytest.mark.parametrize("mode", MODES)
def test_the_groups_admit_the_chain_and_nothing_wider(expanded_template: Document, mode: str) -> None:
    visitors = {"VisitorCidr": VISITORS} if mode == "own" else {}
    rules = group_rules(evaluated(expanded_template, MODES[mode] | visitors)["Resources"])

    expected = BEHIND_THE_LOAD_BALANCER | (OWN if mode == "own" else {})
    from_the_load_balancer = {("in", "tcp", 8080, 8080, ADMITTED[mode])}
    assert expected | {PROXY: expected[PROXY] | from_the_load_balancer} == rules


def test_each_hop_is_in_its_own_group(resources: Document, definition: Document, substitutions: Document) -> None:
    proxy = resources["ProxyService"]["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
    agent = definition["States"]["Run Agent"]["Arguments"]["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert [group_name(g) for g in resources["ApplicationLoadBalancer"]["Properties"]["SecurityGroups"]] == [
        LOAD_BALANCER
    ]
    assert [group_name(g) for g in proxy["SecurityGroups"]] == [PROXY]
    assert agent["SecurityGroups"] == ["${AgentSecurityGroupId}"]
    assert group_name(substitutions["AgentSecurityGroupId"]) == AGENT


def test_the_load_balancer_asks_the_proxy_for_its_health_on_8080(resources: Document, container: Document) -> None:
    group = resources["ProxyTargetGroup"]["Properties"]
    assert (group["Port"], group["HealthCheckPath"], group["HealthCheckPort"]) == (8080, "/health", "traffic-port")
    assert container["ProxyTaskDefinition"]["PortMappings"] == [{"ContainerPort": 8080, "Protocol": "tcp"}]
    (target,) = resources["ProxyService"]["Properties"]["LoadBalancers"]
    name = container["ProxyTaskDefinition"]["Name"]
    assert (name, 8080) == (target["ContainerName"], target["ContainerPort"])


def test_the_dev_server_is_on_3000_or_beside_another_there(container: Document) -> None:
    mapped = container["AgentTaskDefinition"]["PortMappings"]
    assert mapped == [{"ContainerPort": port, "Protocol": "tcp"} for port in (3000, 23300)]


@pytest.fixture(scope="module")
def attributes(resources: Document) -> dict[str, str]:
    """The load balancer's settings."""
    load_balancer = resources["ApplicationLoadBalancer"]["Properties"]
    return {one["Key"]: one["Value"] for one in load_balancer["LoadBalancerAttributes"]}


def test_the_proxy_never_closes_before_the_load_balancer_which_waits_an_hour(
    root: Path, attributes: dict[str, str]
) -> None:
    configuration = (root / "proxy/haproxy.cfg").read_text()
    kept_alive = re.findall(r"timeout http-keep-alive\s+(\d+)s", configuration)
    tunnel = re.findall(r"timeout tunnel\s+(\d+)h", configuration)
    idle = int(attributes["idle_timeout.timeout_seconds"])
    assert [idle + 5] == [int(seconds) for seconds in kept_alive]
    assert [idle] == [3600 * int(hours) for hours in tunnel]


def test_the_load_balancer_lets_through_what_is_sound_and_says_who_asks(attributes: dict[str, str]) -> None:
    assert attributes["routing.http.desync_mitigation_mode"] == "defensive"
    assert attributes["routing.http.xff_header_processing.mode"] == "append"
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "false"
