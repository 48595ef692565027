"""template.yaml deployed with a load balancer of its own and with one that there was, and what is there afterwards.

The embedded AWS carries no traffic through a load balancer: this is about what is made, rule by rule.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.infrastructure.deployment import deploy, outputs
from tests.kit.stack_template import LISTED_EGRESS, MODES

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws

    Json = dict[str, Any]

HOST_NAMES = "*.uat.example.com"
HTTPS = 443
INDEX = {"IndexAtUatDomain": "true"}
WEBHOOK = {
    "WebhookDomainName": "hooks.example.com",
    "WebhookCertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/webhook",
}


@dataclass(frozen=True)
class Shared:
    """What another project has: a load balancer with one listener, whose default action leads to its own targets."""

    arn: str
    dns_name: str
    zone: str
    group: str
    listener: str
    its_targets: str

    @property
    def parameters(self) -> dict[str, str]:
        return {
            "ListenerArn": self.listener,
            "LoadBalancerSecurityGroupId": self.group,
            "LoadBalancerDnsName": self.dns_name,
            "LoadBalancerHostedZoneId": self.zone,
        }


@dataclass(frozen=True)
class Deployed:
    """A stack and the hosted zone of its own."""

    stack: Json
    zone: str

    @property
    def name(self) -> str:
        return str(self.stack["StackName"])


@pytest.fixture(scope="module")
def own(aws: EmbeddedAws, template_url: str) -> Deployed:
    zone = new_zone(aws)
    return Deployed(deploy(aws, template_url, "own", MODES["own"] | {"HostedZoneId": zone}), zone)


@pytest.fixture(scope="module")
def shared(aws: EmbeddedAws) -> Shared:
    return new_shared_load_balancer(aws)


@pytest.fixture(scope="module")
def existing(aws: EmbeddedAws, template_url: str, shared: Shared) -> Deployed:
    zone = new_zone(aws)
    parameters = MODES["existing"] | shared.parameters | WEBHOOK | INDEX | {"HostedZoneId": zone}
    return Deployed(deploy(aws, template_url, "existing", parameters), zone)


def new_zone(aws: EmbeddedAws) -> str:
    answer = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference=uuid.uuid4().hex)
    return str(answer["HostedZone"]["Id"]).removeprefix("/hostedzone/")


def new_shared_load_balancer(aws: EmbeddedAws) -> Shared:
    elbv2, vpc, name = aws.client("elbv2"), "vpc-00000001", f"shared-{uuid.uuid4().hex[:8]}"
    group = aws.client("ec2").create_security_group(GroupName=name, Description="shared", VpcId=vpc)["GroupId"]
    balancer = elbv2.create_load_balancer(
        Name=name, Subnets=["subnet-00000001", "subnet-00000002"], SecurityGroups=[group]
    )["LoadBalancers"][0]
    targets = elbv2.create_target_group(Name=name, Protocol="HTTP", Port=3001, VpcId=vpc, TargetType="ip")
    its_targets = targets["TargetGroups"][0]["TargetGroupArn"]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=HTTPS,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": its_targets}],
    )["Listeners"][0]["ListenerArn"]
    return Shared(
        balancer["LoadBalancerArn"],
        balancer["DNSName"],
        balancer["CanonicalHostedZoneId"],
        group,
        listener,
        its_targets,
    )


def resources(aws: EmbeddedAws, stack: str) -> dict[str, str]:
    """The physical id of each of the stack's resources."""
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
        if not each["ResourceStatus"].startswith("DELETE")
    }


def lift_protection(aws: EmbeddedAws, balancer: str) -> None:
    aws.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=balancer, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
    )


def rules(aws: EmbeddedAws, listener: str) -> list[tuple[str, list[str], Json]]:
    """Priority, host names and action of each rule of the listener, the default one last."""
    found = aws.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
    return sorted(
        (
            rule["Priority"],
            [name for condition in rule["Conditions"] for name in condition["Values"]],
            {key: value for key, value in rule["Actions"][0].items() if key in {"Type", "TargetGroupArn"}},
        )
        for rule in found
    )


def admitted(aws: EmbeddedAws, group: str) -> list[tuple[int, list[str], list[str]]]:
    """The port of each rule of the way in, and the groups and ranges that it admits."""
    found = aws.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    return [
        (
            rule["FromPort"],
            [pair["GroupId"] for pair in rule["UserIdGroupPairs"]],
            [each["CidrIp"] for each in rule["IpRanges"]],
        )
        for rule in found["IpPermissions"]
    ]


def aliases(aws: EmbeddedAws, zone: str) -> dict[str, tuple[str, str]]:
    """Where each alias record of the zone leads to: a name and that name's zone."""
    records = aws.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {
        # Route 53 gives an asterisk back as its octal code.
        record["Name"].replace("\\052", "*").rstrip("."): (
            record["AliasTarget"]["DNSName"].rstrip("."),
            record["AliasTarget"]["HostedZoneId"],
        )
        for record in records
        if "AliasTarget" in record
    }


def balancers(aws: EmbeddedAws) -> list[str]:
    return [each["LoadBalancerArn"] for each in aws.client("elbv2").describe_load_balancers()["LoadBalancers"]]


def owners_of_the_proxys_targets(aws: EmbeddedAws, deployed: Deployed) -> list[str]:
    """The load balancers that route to the target group that the proxy's service registers its tasks in."""
    cluster, service = outputs(deployed.stack)["ClusterArn"], outputs(deployed.stack)["ProxyServiceArn"]
    (described,) = aws.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    arns = [each["targetGroupArn"] for each in described["loadBalancers"]]
    assert [outputs(deployed.stack)["ProxyTargetGroupArn"]] == arns
    (group,) = aws.client("elbv2").describe_target_groups(TargetGroupArns=arns)["TargetGroups"]
    owners: list[str] = group["LoadBalancerArns"]
    return owners


def assert_a_path_through(
    aws: EmbeddedAws, shared: Shared, deployed: Deployed, hosts: tuple[str, ...] = (HOST_NAMES,)
) -> None:
    made = resources(aws, deployed.name)
    to_the_proxy = {"Type": "forward", "TargetGroupArn": made["ProxyTargetGroup"]}
    to_the_others = {"Type": "forward", "TargetGroupArn": shared.its_targets}
    expected = [("10", [*hosts], to_the_proxy), ("default", [], to_the_others)]
    assert expected == rules(aws, shared.listener)
    assert [(8080, [shared.group], [])] == admitted(aws, made["ProxySecurityGroup"])
    found = {name: to for name, to in aliases(aws, deployed.zone).items() if name not in WEBHOOK.values()}
    assert found == dict.fromkeys(hosts, (shared.dns_name, shared.zone))
    assert shared.dns_name == outputs(deployed.stack)["LoadBalancerDnsName"]
    assert [shared.arn] == owners_of_the_proxys_targets(aws, deployed)


def test_an_own_load_balancer_leads_the_session_names_to_the_proxy(aws: EmbeddedAws, own: Deployed) -> None:
    made, elbv2 = resources(aws, own.name), aws.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers(LoadBalancerArns=[made["ApplicationLoadBalancer"]])["LoadBalancers"]
    assert [made["LoadBalancerSecurityGroup"]] == balancer["SecurityGroups"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=made["ApplicationLoadBalancer"])["Listeners"]
    by_port = {each["Port"]: each["ListenerArn"] for each in listeners}
    assert {HTTPS: made["HttpsListener"], 80: made["HttpListener"]} == by_port
    (redirect,) = next(each["DefaultActions"] for each in listeners if each["Port"] != HTTPS)
    assert (redirect["Type"], redirect["RedirectConfig"]["Port"]) == ("redirect", "443")
    to_the_proxy = {"Type": "forward", "TargetGroupArn": made["ProxyTargetGroup"]}
    expected = [("10", [HOST_NAMES], to_the_proxy), ("default", [], {"Type": "fixed-response"})]
    assert expected == rules(aws, made["HttpsListener"])
    assert [(8080, [made["LoadBalancerSecurityGroup"]], [])] == admitted(aws, made["ProxySecurityGroup"])
    assert {HOST_NAMES: (balancer["DNSName"], balancer["CanonicalHostedZoneId"])} == aliases(aws, own.zone)
    assert balancer["DNSName"] == outputs(own.stack)["LoadBalancerDnsName"]
    assert [made["ApplicationLoadBalancer"]] == owners_of_the_proxys_targets(aws, own)


def test_the_own_load_balancer_is_deleted_by_nobody_in_passing(aws: EmbeddedAws, own: Deployed) -> None:
    balancer = resources(aws, own.name)["ApplicationLoadBalancer"]
    with pytest.raises(ClientError, match="deletion protection is enabled"):
        aws.client("elbv2").delete_load_balancer(LoadBalancerArn=balancer)


def test_an_existing_load_balancer_gets_one_rule_and_stays_as_it_was(
    aws: EmbeddedAws, shared: Shared, existing: Deployed
) -> None:
    assert_a_path_through(aws, shared, existing, (HOST_NAMES, "uat.example.com"))
    assert set() == set(balancers(aws)) & set(resources(aws, existing.name).values())


@pytest.mark.parametrize("mode", ["own", "existing"])
def test_the_alarm_watches_the_targets_of_the_load_balancer_in_use(
    aws: EmbeddedAws, mode: str, request: pytest.FixtureRequest
) -> None:
    deployed: Deployed = request.getfixturevalue(mode)
    made = resources(aws, deployed.name)
    balancer = made.get("ApplicationLoadBalancer") or request.getfixturevalue("shared").arn
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[made["ProxyUnhealthyAlarm"]])["MetricAlarms"]
    watched = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    assert balancer.partition(":loadbalancer/")[2] == watched["LoadBalancer"]
    assert made["ProxyTargetGroup"].endswith(f"/{watched['TargetGroup']}")  # the embedded AWS leaves targetgroup/ out
    shown = aws.client("cloudwatch").get_dashboard(DashboardName=made["Dashboard"])["DashboardBody"]
    assert watched["LoadBalancer"] in shown
    assert "${" not in shown
    assert json.loads(shown)["widgets"]


def test_the_webhook_answers_by_a_name_of_ones_own(aws: EmbeddedAws, existing: Deployed) -> None:
    name = WEBHOOK["WebhookDomainName"]
    assert f"https://{name}" == outputs(existing.stack)["HttpApiUrl"]
    gateway = aws.client("apigatewayv2")
    (mapping,) = gateway.get_api_mappings(DomainName=name)["Items"]
    assert (resources(aws, existing.name)["HttpApi"], "$default") == (mapping["ApiId"], mapping["Stage"])
    (configuration,) = gateway.get_domain_name(DomainName=name)["DomainNameConfigurations"]
    assert configuration["ApiGatewayDomainName"] == outputs(existing.stack)["WebhookDomainTarget"]
    target = (configuration["ApiGatewayDomainName"], configuration["HostedZoneId"])
    assert target == aliases(aws, existing.zone)[name]


def test_a_stack_moves_to_an_existing_load_balancer_and_keeps_its_sessions(aws: EmbeddedAws, template_url: str) -> None:
    zone, shared = new_zone(aws), new_shared_load_balancer(aws)
    deploy(aws, template_url, "moving", MODES["own"] | {"HostedZoneId": zone})
    before = resources(aws, "moving")
    lift_protection(aws, before["ApplicationLoadBalancer"])  # as docs/deploy.md says

    parameters = MODES["existing"] | shared.parameters | {"HostedZoneId": zone}
    moved = Deployed(deploy(aws, template_url, "moving", parameters, "UPDATE"), zone)

    assert_a_path_through(aws, shared, moved)
    after = resources(aws, moved.name)
    gone = {"ApplicationLoadBalancer", "HttpListener", "HttpsListener", "LoadBalancerSecurityGroup"}
    assert gone == set(before) - set(after)
    assert before["ApplicationLoadBalancer"] not in balancers(aws)
    assert before["ProxyTargetGroup"] != after["ProxyTargetGroup"]
    assert before["SessionsTable"] == after["SessionsTable"]


def test_listed_egress_gives_agents_the_egress_proxy_and_it_their_hosts(aws: EmbeddedAws, template_url: str) -> None:
    given = MODES["own"] | LISTED_EGRESS | {"HostedZoneId": new_zone(aws), "AgentEgressDomains": ".example.org"}
    stack = deploy(aws, template_url, "listed", given)
    made = resources(aws, "listed")

    def environment(task: str) -> dict[str, str]:
        described = aws.client("ecs").describe_task_definition(taskDefinition=made[task])["taskDefinition"]
        return {one["name"]: one["value"] for one in described["containerDefinitions"][0]["environment"]}

    proxy = "http://egress.listed.internal:3128"
    assert {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy}.items() <= environment("AgentTaskDefinition").items()
    bucket = f"https://{made['ArtifactsBucket']}.s3.us-east-1.amazonaws.com"
    api = outputs(stack)["AgentApiUrl"]
    hosts = ("https://github.com", "https://api.github.com", api, "https://api.anthropic.com", bucket)
    images = ("https://private-user-images.githubusercontent.com", "https://user-images.githubusercontent.com")
    assert ",".join((*hosts, *images, ".example.org")) == environment("EgressProxyTaskDefinition")["EGRESS_ALLOWED"]
    assert [(3128, [made["AgentSecurityGroup"]], [])] == admitted(aws, made["EgressProxySecurityGroup"])


REFUSED = [
    ("own", {"CertificateArn": ""}, "LoadBalancer=own needs CertificateArn"),
    ("own", {"LoadBalancerSubnetIds": ""}, "LoadBalancer=own needs LoadBalancerSubnetIds"),
    ("own", {"LoadBalancerSubnetIds": "subnet-00000001"}, "LoadBalancerSubnetIds"),
    ("own", {"ListenerArn": MODES["existing"]["ListenerArn"]}, "ListenerArn is given but LoadBalancer=own"),
    ("existing", {"ListenerArn": ""}, "LoadBalancer=existing needs ListenerArn"),
    ("existing", {"LoadBalancerSecurityGroupId": ""}, "LoadBalancer=existing needs LoadBalancerSecurityGroupId"),
    ("existing", {"LoadBalancerDnsName": ""}, "needs LoadBalancerDnsName and LoadBalancerHostedZoneId"),
    ("existing", {"LoadBalancerHostedZoneId": ""}, "needs LoadBalancerDnsName and LoadBalancerHostedZoneId"),
    ("existing", {"VisitorCidr": "192.0.2.0/24"}, "VisitorCidr narrows the stack's own load balancer only"),
    ("own", {"WebhookDomainName": "hooks.example.com"}, "WebhookDomainName and WebhookCertificateArn"),
    ("own", {"WebhookCertificateArn": MODES["own"]["CertificateArn"]}, "WebhookDomainName and WebhookCertificateArn"),
]


@pytest.mark.parametrize(("mode", "change", "message"), REFUSED)
def test_half_of_what_a_mode_needs_is_refused_before_anything_is_made(
    aws: EmbeddedAws, template_url: str, mode: str, change: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        deploy(aws, template_url, "refused", MODES[mode] | change)
