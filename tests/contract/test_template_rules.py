"""What the template refuses before anything is created: parameters that could not work together."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.stack_template import MODES, evaluated, read_template, refusals

from cloud_agent_local.installation import Installation, Ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Document = dict[str, Any]

TEMPLATE = read_template()
GIVEN = MODES["own"]
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html: MiB for CPU units.
FARGATE = {1024: (2048, 8192), 2048: (4096, 16384), 4096: (8192, 30720), 8192: (16384, 61440)}


def refused(**parameters: str) -> list[str]:
    return refusals(TEMPLATE, GIVEN | parameters)


@pytest.mark.parametrize("mode", MODES)
def test_what_the_modes_give_is_accepted(mode: str) -> None:
    assert refusals(TEMPLATE, MODES[mode]) == []


@pytest.mark.parametrize(
    ("cpu", "memory"),
    list(itertools.product(*(TEMPLATE["Parameters"][name]["AllowedValues"] for name in ("AgentCpu", "AgentMemory")))),
)
def test_fargates_pairs_of_cpu_and_memory_are_accepted_and_no_others(cpu: str, memory: str) -> None:
    least, most = FARGATE[int(cpu)]
    is_pair = least <= int(memory) <= most
    assert is_pair is not any("Fargate has no tasks" in why for why in refused(AgentCpu=cpu, AgentMemory=memory))


def test_the_addresses_of_local_mode_are_accepted(tmp_path: Path) -> None:
    local = Installation(ports=Ports(), state_dir=tmp_path)
    given = {
        "GitHubUrl": local.github_url,
        "GitHubApiUrl": local.github_api_url,
        "AnthropicBaseUrl": local.model_url,
        "UatUrl": local.uat_url,
        "HttpApiBaseUrl": local.aws_endpoint,
    }
    patterns = {name: TEMPLATE["Parameters"][name]["AllowedPattern"] for name in given}
    assert {name: value for name, value in given.items() if not re.fullmatch(patterns[name], value)} == {}


def test_a_model_goes_with_its_provider() -> None:
    default, profile = TEMPLATE["Parameters"]["ClaudeModel"]["Default"], "us.anthropic.claude-sonnet-5-5"
    for model in ({}, {"ClaudeModel": default}):
        assert "a ClaudeModel of Bedrock's" in refused(ModelProvider="bedrock", **model)[0]
    assert refused(ModelProvider="bedrock", ClaudeModel=profile) == []
    assert "This ClaudeModel is Bedrock's" in refused(ClaudeModel=profile)[0]
    assert refused(ClaudeModel=profile, AnthropicBaseUrl="https://gateway.example.com") == []


def _numbers(name: str, given: dict[str, str]) -> list[int]:
    """Return the values of a parameter that no rule refuses beside what is given."""
    lists = re.findall(r'"(\d+)"', json.dumps(TEMPLATE["Rules"]["HeartbeatIsShorterThanEachWait"]))
    least, most = (TEMPLATE["Parameters"][name][bound] for bound in ("MinValue", "MaxValue"))
    tried = {number for text in lists for number in (int(text) - 1, int(text), int(text) + 1)} | {least, most}
    return sorted(n for n in tried if least <= n <= most and not refused(**given, **{name: str(n)}))


@pytest.mark.parametrize("heartbeat", [180, 240, 300, 600, 900])
@pytest.mark.parametrize("name", ["AgentReadyTimeoutSeconds", "MaxSessionAgeSeconds"])
def test_a_heartbeat_is_shorter_than_each_wait_that_it_is_for(name: str, heartbeat: int) -> None:
    """Amazon States Language, "Task State": HeartbeatSeconds is smaller than TimeoutSeconds."""
    accepted = _numbers(name, {"AgentHeartbeatTimeoutSeconds": str(heartbeat)})
    assert heartbeat < accepted[0]
    assert accepted[-1] == TEMPLATE["Parameters"][name]["MaxValue"]
    assert TEMPLATE["Parameters"][name]["Default"] in accepted
    assert refused(**{name: "100"}, HttpApiBaseUrl="http://127.0.0.1:4566/_aws/execute-api") == []


def test_no_function_of_a_rule_has_more_conditions_than_cloudformation_takes() -> None:
    """AWS CloudFormation Template Reference, "Rule functions": two to ten for Fn::And and Fn::Or."""

    def lengths(node: object) -> Iterator[int]:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        if isinstance(node, dict):
            yield from (len(node[name]) for name in ("Fn::And", "Fn::Or") if name in node)
        for child in children:
            yield from lengths(child)

    assert [length for length in lengths(TEMPLATE["Rules"]) if not 2 <= length <= 10] == []


@pytest.mark.parametrize("seconds", ["5", "30", "179", "3600"])
def test_a_heartbeat_shorter_than_a_start_is_for_one_machine_alone(seconds: str) -> None:
    assert "180, 240, 300, 600 or 900" in refused(AgentHeartbeatTimeoutSeconds=seconds)[0]
    on_one_machine = {"HttpApiBaseUrl": "http://127.0.0.1:4566/_aws/execute-api"}
    assert refused(AgentHeartbeatTimeoutSeconds=seconds, **on_one_machine) == []


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("GitHubUrl", ["AgentSecurityGroup", "ProxySecurityGroup"]),
        ("GitHubApiUrl", ["AgentSecurityGroup", "ProxySecurityGroup"]),
        ("AnthropicBaseUrl", ["AgentSecurityGroup"]),
    ],
)
def test_what_agents_and_proxy_call_has_no_port_that_their_security_groups_keep_in(
    name: str, groups: list[str]
) -> None:
    ports = {"https://github.example.com": 443, "http://github.example.com": 80}
    resources = evaluated(TEMPLATE, GIVEN)["Resources"]
    rules = [resources[group]["Properties"]["SecurityGroupEgress"] for group in groups]
    for url, port in ports.items():
        is_let_out = all(port in {rule["FromPort"] for rule in of} for of in rules)
        assert is_let_out is (refused(**{name: url}) == []), url
    for url in ("https://github.example.com:8443", "http://gateway.example.com:4000", "https://127.0.0.10:1"):
        assert "without a port" in refused(**{name: url})[0]
    for url in ("http://127.0.0.1:4580", "http://localhost:4580"):
        assert refused(**{name: url}) == []
