"""What agents may connect to, for each value of `AgentEgress`."""

from __future__ import annotations

import itertools
import json
import re
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.security_groups import group_rules
from tests.kit.stack_template import LISTED_EGRESS as LISTED
from tests.kit.stack_template import MODES, evaluated, read_template, refusals
from tests.tools.public_addresses import NOT_PUBLIC, public_ranges

from cloud_agent_runner.attachments.download import GITHUB_IMAGES
from cloud_agent_runner.workspace.network_environment import network_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.security_groups import Rule

    Document = dict[str, Any]

GIVEN = MODES["own"]
ENDPOINTS, PRIVATE = LISTED["VpcEndpointSecurityGroupId"], "10.9.8.7/32"
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


def listed(template: Document, **parameters: str) -> Document:
    """The stack's resources with AgentEgress=listed."""
    return dict(evaluated(template, GIVEN | LISTED | parameters)["Resources"])


def test_listed_reaches_the_proxy_and_what_a_task_starts_by(expanded_template: Document) -> None:
    assert out_of(expanded_template, "AgentSecurityGroup", **LISTED, AgentPrivateCidr=PRIVATE) == {
        ("out", "tcp", 3128, 3128, "EgressProxySecurityGroup"),
        ("out", "tcp", 443, 443, ENDPOINTS),
        ("out", "tcp", 443, 443, LISTED["S3PrefixListId"]),
    }


def test_the_egress_proxy_reaches_what_internet_does_and_admits_agents_alone(expanded_template: Document) -> None:
    rules = group_rules(listed(expanded_template, AgentPrivateCidr=PRIVATE))["EgressProxySecurityGroup"]
    assert rules == TO_INTERNET | TO_EXCEPTIONS | {("in", "tcp", 3128, 3128, "AgentSecurityGroup")}
    assert len(rules) - 1 <= MOST_RULES


def environment(resources: Document, task: str) -> dict[str, Any]:
    (container,) = resources[task]["Properties"]["ContainerDefinitions"]
    return {one["Name"]: one["Value"] for one in container["Environment"]}


def test_the_policy_of_the_endpoint_for_s3_admits_what_the_tasks_behind_it_read_and_write(
    expanded_template: Document, root: Path
) -> None:
    """The proxy's tasks are in the agents' subnets; agents have URLs of the objects that sessions keep."""
    page = (root / "docs/egress.md").read_text()
    admitted = set(re.findall(r"\| `([\w:`, ]+)` \| `arn:aws:s3:::<ArtifactsBucket>/(\w+)/\*`", page))
    role = json.dumps(evaluated(expanded_template, GIVEN)["Resources"]["ProxyTaskRole"])
    proxys = {("s3:GetObject", prefix) for prefix in re.findall(r"ArtifactsBucket[^\"]*?/(\w+)/\*", role)}
    assert proxys
    assert admitted == proxys | {("s3:GetObject`, `s3:PutObject", prefix) for prefix in ("cache", "unpublished")}


def test_agents_are_given_the_proxys_name_in_the_vpc(expanded_template: Document) -> None:
    resources = listed(expanded_template, StagingAgentImageUri="registry.example/agent:2")
    namespace, name = (resources[one]["Properties"]["Name"] for one in ("EgressNamespace", "EgressProxyName"))
    url = {"Fn::Sub": f"http://{name}.{namespace['Fn::Sub']}:3128"}
    registries = resources["EgressProxyService"]["Properties"]["ServiceRegistries"]
    assert registries == [{"RegistryArn": {"Fn::GetAtt": ["EgressProxyName", "Arn"]}}]
    assert resources["EgressProxyName"]["Properties"]["DnsConfig"]["NamespaceId"] == {"Ref": "EgressNamespace"}
    for task in ("AgentTaskDefinition", "StagingAgentTaskDefinition"):
        given = environment(resources, task)
        assert {"HTTPS_PROXY": url, "HTTP_PROXY": url}.items() <= given.items()
        assert network_environment(dict.fromkeys(given, "set"))["HTTPS_PROXY"] == "set"


def test_the_proxy_lets_through_github_the_agent_api_the_model_and_the_given_names(expanded_template: Document) -> None:
    api = {"Fn::Sub": "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}
    bucket = {"Fn::Sub": "https://${ArtifactsBucket.RegionalDomainName}"}
    images = ",".join(GITHUB_IMAGES)
    for given, model in (
        ({}, "https://api.anthropic.com"),
        ({"AnthropicBaseUrl": "https://gateway.example.com"}, "https://gateway.example.com"),
        ({"ModelProvider": "bedrock"}, {"Fn::Sub": "https://bedrock-runtime.${AWS::Region}.${AWS::URLSuffix}"}),
    ):
        resources = listed(expanded_template, AgentEgressDomains=".example.org", **given)
        allowed = environment(resources, "EgressProxyTaskDefinition")["EGRESS_ALLOWED"]
        assert allowed == {
            "Fn::Join": [
                ",",
                ["https://github.com", "https://api.github.com", api, model, bucket, images, ".example.org"],
            ]
        }


def test_the_proxy_lets_nobody_through_to_a_bucket_that_keeps_nothing(expanded_template: Document) -> None:
    resources = listed(expanded_template, DependencyCacheDays="0", UnpublishedWorkDays="0")
    assert "ArtifactsBucket" not in str(environment(resources, "EgressProxyTaskDefinition")["EGRESS_ALLOWED"])


@pytest.mark.parametrize("mode", ["open", "internet"])
def test_nothing_of_the_proxy_is_made_without_listed(expanded_template: Document, mode: str) -> None:
    resources = evaluated(expanded_template, GIVEN | {"AgentEgress": mode})["Resources"]
    only_listed = listed(expanded_template).keys() - resources.keys()
    assert only_listed == {
        *("EgressProxyTaskDefinition", "EgressProxyService", "EgressNamespace", "EgressProxyName"),
        *("EgressProxySecurityGroup", "EgressProxyIngress", "EgressProxyTasksMissingAlarm"),
    }
    assert not {"HTTPS_PROXY", "HTTP_PROXY"} & environment(resources, "AgentTaskDefinition").keys()


@pytest.mark.parametrize("name", sorted(LISTED.keys() - {"AgentEgress"}))
def test_listed_is_refused_without_what_it_needs(name: str) -> None:
    template = read_template()
    assert refusals(template, GIVEN | LISTED) == []
    assert f"AgentEgress=listed needs {name}" in refusals(template, GIVEN | LISTED | {name: ""})[0]


@pytest.mark.parametrize("mode", ["open", "internet"])
@pytest.mark.parametrize("name", ["AgentEgressDomains", "S3PrefixListId", "EgressProxyImageUri"])
def test_what_is_for_listed_is_refused_elsewhere(mode: str, name: str) -> None:
    value = (LISTED | {"AgentEgressDomains": ".example.org"})[name]
    assert "are for AgentEgress=listed" in refusals(read_template(), GIVEN | {"AgentEgress": mode, name: value})[0]


@pytest.mark.parametrize(
    "value", ["10.0.0.1", "8.8.8.8,example.org", "https://example.org", "*.example.org", "com", ""]
)
def test_a_domain_is_a_name_of_two_labels_at_least_and_no_address(value: str) -> None:
    refused = refusals(read_template(), GIVEN | LISTED | {"AgentEgressDomains": value})
    assert bool(refused) is (value != "")
