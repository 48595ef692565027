"""From the public name to the proxy, hop by hop, with a load balancer of our own and with one that there was before.

Each hop has failed once because it was changed by hand. So that no such fault can be written into template.yaml, each
check is shown to fail for templates that have it.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract.test_environment_contract import PLATFORM
from tests.kit.stack_template import MODES, evaluated

from cloud_agent_proxy.settings import Settings as ProxySettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Document = dict[str, Any]
    Check = Callable[[Document, str], None]

HOST_NAMES = "*.uat.example.com"
ELBV2 = "AWS::ElasticLoadBalancingV2"
LOAD_BALANCER_TYPES = {f"{ELBV2}::LoadBalancer", f"{ELBV2}::Listener"}


@dataclass(frozen=True)
class LoadBalancer:
    """The one that visitors come through, as the template speaks of it."""

    listener: object
    security_group: object
    dns_name: object
    zone: object


_GIVEN = MODES["existing"]
IN_USE = {
    "own": LoadBalancer(
        listener={"Ref": "HttpsListener"},
        security_group={"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]},
        dns_name={"Fn::GetAtt": ["ApplicationLoadBalancer", "DNSName"]},
        zone={"Fn::GetAtt": ["ApplicationLoadBalancer", "CanonicalHostedZoneID"]},
    ),
    "existing": LoadBalancer(
        listener=_GIVEN["ListenerArn"],
        security_group=_GIVEN["LoadBalancerSecurityGroupId"],
        dns_name=_GIVEN["LoadBalancerDnsName"],
        zone=_GIVEN["LoadBalancerHostedZoneId"],
    ),
}


def _properties(resources: Document, name: str, resource_type: str) -> Document:
    assert name in resources, f"{name} is not there"
    assert resource_type == resources[name]["Type"]
    return dict(resources[name]["Properties"])


def _load_balancer(resources: Document, mode: str) -> None:
    """Our own is protected and listens on 443; where there is another, none is ours."""
    if mode == "existing":
        ours = {name for name, resource in resources.items() if resource["Type"] in LOAD_BALANCER_TYPES}
        assert set() == ours | {"LoadBalancerSecurityGroup"} & set(resources)
        return
    balancer = _properties(resources, "ApplicationLoadBalancer", f"{ELBV2}::LoadBalancer")
    attributes = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
    assert attributes.get("deletion_protection.enabled") == "true"
    https = _properties(resources, "HttpsListener", f"{ELBV2}::Listener")
    http = _properties(resources, "HttpListener", f"{ELBV2}::Listener")
    its_arn = {"Ref": "ApplicationLoadBalancer"}
    assert [(its_arn, 443), (its_arn, 80)] == [(each["LoadBalancerArn"], each["Port"]) for each in (https, http)]
    assert [{"CertificateArn": MODES["own"]["CertificateArn"]}] == https["Certificates"]
    assert https["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    redirect = http["DefaultActions"][0]["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")


def _dns_record(resources: Document, mode: str) -> None:
    record = _properties(resources, "UatRecord", "AWS::Route53::RecordSet")
    assert (HOST_NAMES, "A", MODES[mode]["HostedZoneId"]) == (record["Name"], record["Type"], record["HostedZoneId"])
    alias = record["AliasTarget"]
    assert (IN_USE[mode].dns_name, IN_USE[mode].zone) == (alias["DNSName"], alias["HostedZoneId"])


def _listener_rule(resources: Document, mode: str) -> None:
    rule = _properties(resources, "UatListenerRule", f"{ELBV2}::ListenerRule")
    assert (IN_USE[mode].listener, "10") == (rule["ListenerArn"], rule["Priority"])
    assert rule["Conditions"] == [{"Field": "host-header", "HostHeaderConfig": {"Values": [HOST_NAMES]}}]
    assert rule["Actions"] == [{"Type": "forward", "TargetGroupArn": {"Ref": "ProxyTargetGroup"}}]


def _target_group(resources: Document, mode: str) -> None:  # noqa: ARG001 - all checks are called alike
    group = _properties(resources, "ProxyTargetGroup", f"{ELBV2}::TargetGroup")
    assert tuple(group[name] for name in ("TargetType", "Protocol", "Port", "HealthCheckPath")) == (
        "ip",
        "HTTP",
        8080,
        "/health",
    )
    service = _properties(resources, "ProxyService", "AWS::ECS::Service")
    target = {"ContainerName": "proxy", "ContainerPort": 8080, "TargetGroupArn": {"Ref": "ProxyTargetGroup"}}
    assert [target] == service["LoadBalancers"]
    assert "UatListenerRule" in resources["ProxyService"].get("DependsOn", []), (
        "the group belongs to no load balancer yet"
    )


def _proxy_ingress(resources: Document, mode: str) -> None:
    admitted = [
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::EC2::SecurityGroupIngress"
        and each["Properties"]["GroupId"] == {"Fn::GetAtt": ["ProxySecurityGroup", "GroupId"]}
    ]
    assert len(admitted) == 1
    assert (admitted[0]["FromPort"], admitted[0]["ToPort"]) == (8080, 8080)
    assert IN_USE[mode].security_group == admitted[0].get("SourceSecurityGroupId")


def _proxy_environment(resources: Document, mode: str) -> None:  # noqa: ARG001 - all checks are called alike
    (container,) = _properties(resources, "ProxyTaskDefinition", "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    given = {variable["Name"]: variable for variable in container["Environment"] + container["Secrets"]}
    read = {str(field.validation_alias or name).upper() for name, field in ProxySettings.model_fields.items()}
    assert read - PLATFORM == set(given)
    assert given["SESSIONS_TABLE"]["Value"] == {"Ref": "SessionsTable"}


HOPS: dict[str, Check] = {
    check.__name__.strip("_"): check
    for check in (_load_balancer, _dns_record, _listener_rule, _target_group, _proxy_ingress, _proxy_environment)
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hop", HOPS)
def test_each_hop_leads_to_the_next(expanded_template: Document, hop: str, mode: str) -> None:
    HOPS[hop](evaluated(expanded_template, MODES[mode])["Resources"], mode)


GONE = object()
SWAPPED = object()  # the two outcomes of an Fn::If
OTHER = "internal-other-99.eu-central-1.elb.amazonaws.com"
_ENVIRONMENT = "ProxyTaskDefinition.Properties.ContainerDefinitions.0.Environment"
MUTANTS: list[tuple[str, str, str, object]] = [
    ("own", "load_balancer", "ApplicationLoadBalancer", GONE),
    ("own", "load_balancer", "ApplicationLoadBalancer.Condition", "ExistingLoadBalancer"),
    ("existing", "load_balancer", "ApplicationLoadBalancer.Condition", "ExistingLoadBalancer"),
    ("existing", "load_balancer", "HttpListener.Condition", GONE),
    ("existing", "load_balancer", "LoadBalancerSecurityGroup.Condition", GONE),
    ("own", "load_balancer", "ApplicationLoadBalancer.Properties.LoadBalancerAttributes.0.Value", "false"),
    ("own", "load_balancer", "ApplicationLoadBalancer.Properties.LoadBalancerAttributes.0", GONE),
    ("own", "load_balancer", "HttpsListener.Properties.Port", 8443),
    ("own", "dns_record", "UatRecord.Properties.AliasTarget.DNSName", OTHER),
    ("own", "dns_record", "UatRecord.Properties.AliasTarget.DNSName", SWAPPED),
    ("existing", "dns_record", "UatRecord.Properties.AliasTarget.DNSName", SWAPPED),
    ("existing", "dns_record", "UatRecord.Properties.AliasTarget.HostedZoneId", {"Ref": "HostedZoneId"}),
    ("existing", "dns_record", "UatRecord.Condition", "OwnLoadBalancer"),
    ("own", "dns_record", "UatRecord.Properties.Name", {"Fn::Sub": "*.${DomainName}"}),
    ("existing", "listener_rule", "UatListenerRule", GONE),
    ("existing", "listener_rule", "UatListenerRule.Condition", "OwnLoadBalancer"),
    ("existing", "listener_rule", "UatListenerRule.Properties.ListenerArn", SWAPPED),
    ("own", "listener_rule", "UatListenerRule.Properties.ListenerArn", {"Ref": "HttpListener"}),
    ("existing", "listener_rule", "UatListenerRule.Properties.Priority", 20),
    ("own", "listener_rule", "UatListenerRule.Properties.Conditions.0.HostHeaderConfig.Values.0", "uat.example.com"),
    ("own", "listener_rule", "UatListenerRule.Properties.Actions.0.TargetGroupArn", {"Ref": "OtherTargetGroup"}),
    ("own", "target_group", "ProxyTargetGroup.Properties.Port", 3001),
    ("own", "target_group", "ProxyTargetGroup.Properties.HealthCheckPath", "/"),
    ("existing", "target_group", "ProxyService.DependsOn", GONE),
    ("existing", "target_group", "ProxyService.DependsOn", "ProxyTargetGroup"),
    ("own", "target_group", "ProxyService.Properties.LoadBalancers.0.TargetGroupArn", {"Ref": "OtherTargetGroup"}),
    ("own", "proxy_ingress", "ProxyIngress.Properties.SourceSecurityGroupId", SWAPPED),
    ("existing", "proxy_ingress", "ProxyIngress.Properties.SourceSecurityGroupId", SWAPPED),
    ("existing", "proxy_ingress", "ProxyIngress.Properties.SourceSecurityGroupId", GONE),
    ("own", "proxy_ingress", "ProxyIngress.Properties.FromPort", 3001),
    ("own", "proxy_ingress", "ProxyIngress", GONE),
    ("own", "proxy_environment", f"{_ENVIRONMENT}.0.Name", "SESSION_TABLE"),
    ("own", "proxy_environment", f"{_ENVIRONMENT}.0", GONE),
    ("own", "proxy_environment", f"{_ENVIRONMENT}.0.Value", {"Ref": "IdempotencyTable"}),
]


def _mutated(template: Document, path: str, value: object) -> Document:
    """The expanded template with one thing in its resources changed."""
    mutant = copy.deepcopy(template)
    *parents, last = path.split(".")
    place: Any = mutant["Resources"]
    for step in parents:
        place = place[int(step) if isinstance(place, list) else step]
    key: Any = int(last) if isinstance(place, list) else last
    if value is GONE:
        del place[key]
    elif value is SWAPPED:
        condition, yes, no = place[key]["Fn::If"]
        place[key] = {"Fn::If": [condition, no, yes]}
    else:
        place[key] = value
    return mutant


@pytest.mark.parametrize(("mode", "hop", "path", "value"), MUTANTS)
def test_a_template_with_the_fault_is_noticed(
    expanded_template: Document, mode: str, hop: str, path: str, value: object
) -> None:
    mutant = evaluated(_mutated(expanded_template, path, value), MODES[mode])
    with pytest.raises(AssertionError):
        HOPS[hop](mutant["Resources"], mode)


def _named(node: object) -> set[str]:
    """Every logical id that a part of the template refers to."""
    if isinstance(node, list):
        return {name for each in node for name in _named(each)}
    if not isinstance(node, dict):
        return set()
    names = {name for key, each in node.items() if key not in {"Ref", "Fn::GetAtt"} for name in _named(each)}
    if isinstance(node.get("Ref"), str):
        names.add(node["Ref"])
    if isinstance(node.get("Fn::GetAtt"), list):
        names.add(node["Fn::GetAtt"][0])
    depends_on = node.get("DependsOn", [])
    return names | set(depends_on if isinstance(depends_on, list) else [depends_on])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("zone", ["with a zone", "without a zone"])
@pytest.mark.parametrize("webhook", ["", "hooks.example.com"])
def test_nothing_refers_to_what_is_not_there(expanded_template: Document, mode: str, zone: str, webhook: str) -> None:
    parameters = MODES[mode] | ({"HostedZoneId": ""} if zone == "without a zone" else {})
    parameters |= {"WebhookDomainName": webhook}
    stack = evaluated(expanded_template, parameters)
    named = _named(stack)
    assert "ProxyTargetGroup" in named
    assert set() == {name for name in named if not name.startswith("AWS::")} - set(stack["Resources"])
    assert ("UatRecord" in stack["Resources"]) == (zone == "with a zone")
    assert ("WebhookRecord" in stack["Resources"]) == (zone == "with a zone" and bool(webhook))


@pytest.mark.parametrize("mode", MODES)
def test_the_uat_domain_itself_leads_to_the_proxy_where_the_deployment_says_so(
    expanded_template: Document, mode: str
) -> None:
    """Its record is the wildcard's by another name: a wildcard doesn't stand for the name above it."""

    def made(**parameters: str) -> tuple[list[str], Document | None, Document]:
        resources = evaluated(expanded_template, MODES[mode] | parameters)["Resources"]
        (condition,) = resources["UatListenerRule"]["Properties"]["Conditions"]
        record = resources.get("UatDomainRecord", {}).get("Properties")
        return condition["HostHeaderConfig"]["Values"], record, resources.get("UatRecord", {}).get("Properties")

    hosts, record, wildcard = made(IndexAtUatDomain="true")
    assert hosts == [HOST_NAMES, "uat.example.com"]
    assert record == wildcard | {"Name": "uat.example.com"}
    hosts, record, _ = made(IndexAtUatDomain="true", HostedZoneId="")
    assert (hosts, record) == ([HOST_NAMES, "uat.example.com"], None)
    hosts, record, _ = made()
    assert (hosts, record) == ([HOST_NAMES], None)


@pytest.mark.parametrize("mode", MODES)
def test_the_outputs_speak_of_the_load_balancer_in_use(expanded_template: Document, mode: str) -> None:
    outputs = evaluated(expanded_template, MODES[mode])["Outputs"]
    assert IN_USE[mode].dns_name == outputs["LoadBalancerDnsName"]["Value"]
    assert outputs["ProxyTargetGroupArn"]["Value"] == {"Ref": "ProxyTargetGroup"}
    unknown = evaluated(expanded_template, MODES["existing"] | {"LoadBalancerDnsName": "", "HostedZoneId": ""})
    assert "LoadBalancerDnsName" not in unknown["Outputs"]


def test_the_webhook_has_a_name_of_ones_own_and_the_agents_api_does_not_depend_on_it(
    expanded_template: Document,
) -> None:
    def urls(**parameters: str) -> tuple[object, object]:
        stack = evaluated(expanded_template, MODES["own"] | parameters)
        (agent,) = stack["Resources"]["AgentTaskDefinition"]["Properties"]["ContainerDefinitions"]
        given = {variable["Name"]: variable["Value"] for variable in agent["Environment"]}
        assert given["AGENT_API_URL"] == stack["Outputs"]["AgentApiUrl"]["Value"]
        return stack["Outputs"]["HttpApiUrl"]["Value"], given["AGENT_API_URL"]

    webhook, agents = urls()
    assert webhook == agents
    assert ("https://hooks.example.com", agents) == urls(WebhookDomainName="hooks.example.com")
    assert "${HttpApi}.execute-api." in json.dumps(agents)


def test_a_change_of_load_balancer_makes_a_new_target_group(expanded_template: Document) -> None:
    """A target group serves one load balancer; ProtocolVersion cannot be updated, only replaced with its group."""

    def protocol_version(mode: str) -> object:
        resources = evaluated(expanded_template, MODES[mode])["Resources"]
        return resources["ProxyTargetGroup"]["Properties"].get("ProtocolVersion")

    assert (protocol_version("own"), protocol_version("existing")) == ("HTTP1", None)


def test_the_stack_policy_keeps_the_table_the_load_balancer_and_the_record(root: Path, resources: Document) -> None:
    allow, deny = json.loads((root / "stack-policy.json").read_text())["Statement"]
    # What no statement allows a stack policy denies.
    assert (allow["Effect"], allow["Action"], allow["Resource"]) == ("Allow", "Update:*", "*")
    assert (deny["Effect"], deny["Action"]) == ("Deny", ["Update:Delete", "Update:Replace"])
    kept = [resource.removeprefix("LogicalResourceId/") for resource in deny["Resource"]]
    assert kept == ["SessionsTable", "ApplicationLoadBalancer", "UatRecord"]
    assert set() == set(kept) - set(resources)
