"""`cloud-agent adopt` on an account that has what the predecessor was made of by hand, and the deployment after it."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.infrastructure.deployment import deploy
from tests.kit.stack_template import MODES

from cloud_agent_cli.adopt.import_change_set import TEMPLATE_BODY_BYTES
from cloud_agent_local.installation import aws_environment

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws

    Json = dict[str, Any]

KEYS = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
}
ROW = {"pk": {"S": "PULL#acme/shop#261"}, "sk": {"S": "SESSION"}, "session_id": {"S": "09e22a8b"}}


@dataclass(frozen=True)
class ByHand:
    """What somebody has made without a stack."""

    domain: str
    vpc: str
    table: str
    cluster: str
    balancer: str
    group: str
    listener: str
    target_group: str
    rule: str

    @property
    def identifiers(self) -> dict[str, str]:
        return {
            "SessionsTable": self.table,
            "Cluster": self.cluster,
            "ProxyTargetGroup": self.target_group,
            "UatListenerRule": self.rule,
        }


@pytest.fixture
def by_hand(aws: EmbeddedAws) -> ByHand:
    """A stack's worth, with the health check, the priority and the settings that somebody thought of."""
    name = uuid.uuid4().hex[:8]
    elbv2, vpc, domain = aws.client("elbv2"), "vpc-00000001", f"{name}.example.com"
    capacity = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    aws.client("dynamodb").create_table(TableName=f"sessions-{name}", ProvisionedThroughput=capacity, **KEYS)
    aws.client("dynamodb").put_item(TableName=f"sessions-{name}", Item=ROW)
    aws.client("ecs").create_cluster(clusterName=f"agents-{name}")
    group = aws.client("ec2").create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    balancer = elbv2.create_load_balancer(Name=f"shared-{name}", Subnets=["subnet-00000001"], SecurityGroups=[group])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    target_group = elbv2.create_target_group(
        Name=f"proxy-{name}", Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip", HealthCheckPath="/"
    )["TargetGroups"][0]["TargetGroupArn"]
    listener = elbv2.create_listener(
        LoadBalancerArn=arn,
        Protocol="HTTPS",
        Port=443,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    rule = elbv2.create_rule(
        ListenerArn=listener,
        Priority=37,
        Conditions=[{"Field": "host-header", "Values": [f"*.uat.{domain}", f"uat.{domain}"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )["Rules"][0]["RuleArn"]
    return ByHand(domain, vpc, f"sessions-{name}", f"agents-{name}", arn, group, listener, target_group, rule)


def adopt(aws: EmbeddedAws, folder: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "cloud-agent", "adopt", "--output", folder / "adoption", *arguments],
        env=aws_environment(aws.url) | {"COLUMNS": "200"},
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def physical_ids(aws: EmbeddedAws, stack: str) -> dict[str, str]:
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
    }


def test_what_was_made_by_hand_becomes_the_stacks_and_stays_what_it_is(
    aws: EmbeddedAws, template_url: str, by_hand: ByHand, tmp_path: Path
) -> None:
    named = [f"SessionsTable={by_hand.table}", f"Cluster={by_hand.cluster}", "ProxyTargetGroup", "UatListenerRule"]
    adopted = adopt(aws, tmp_path, "--stack", "adopted", "--domain", by_hand.domain, "--yes", *named)

    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    assert by_hand.identifiers == physical_ids(aws, "adopted")
    written = json.loads((tmp_path / "adoption" / "resources-to-import.json").read_text())
    assert set(by_hand.identifiers) == {each["LogicalResourceId"] for each in written}

    # What it says comes next.
    (overrides,) = [line for line in adopted.stdout.splitlines() if "--parameter-overrides" in line]
    given = dict(word.split("=", 1) for word in overrides.split() if "=" in word)
    assert (by_hand.vpc, by_hand.listener, "37", by_hand.group, "true") == (
        given["VpcId"],
        given["ListenerArn"],
        given["ListenerRulePriority"],
        given["LoadBalancerSecurityGroupId"],
        given["IndexAtUatDomain"],
    )
    parameters = MODES["existing"] | given | {"DomainName": by_hand.domain, "HostedZoneId": ""}
    deploy(aws, template_url, "adopted", parameters, "UPDATE")

    made = physical_ids(aws, "adopted")
    assert by_hand.identifiers == {name: made[name] for name in by_hand.identifiers}
    assert "ProxyService" in made
    stored = aws.client("dynamodb").get_item(TableName=by_hand.table, Key={key: ROW[key] for key in ("pk", "sk")})
    assert stored["Item"] == ROW
    ttl = aws.client("dynamodb").describe_time_to_live(TableName=by_hand.table)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "expires_at"
    table = aws.client("dynamodb").describe_table(TableName=by_hand.table)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    (group,) = aws.client("elbv2").describe_target_groups(TargetGroupArns=[by_hand.target_group])["TargetGroups"]
    assert group["HealthCheckPath"] == "/health"


def test_a_rule_that_was_made_by_hand_comes_into_the_stack_that_there_is(
    aws: EmbeddedAws, template_url: str, by_hand: ByHand, tmp_path: Path
) -> None:
    """The template is too long for a request then: it goes through the bucket that SAM has made."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "sam-bucket"}}
    outputs = {"SourceBucket": {"Value": {"Ref": "Bucket"}}}
    sam = {"Resources": {"Bucket": bucket}, "Outputs": outputs}
    aws.client("cloudformation").create_stack(StackName="aws-sam-cli-managed-default", TemplateBody=json.dumps(sam))
    aws.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="aws-sam-cli-managed-default", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    deploy(aws, _part_of(aws, template_url), "stands", MODES["own"] | {"HostedZoneId": ""})
    before = physical_ids(aws, "stands")
    assert "TakeSlotFunctionRole" in before

    adopted = adopt(aws, tmp_path, "--stack", "stands", "--domain", by_hand.domain, "--yes", "UatListenerRule")

    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    assert before | {"UatListenerRule": by_hand.rule} == physical_ids(aws, "stands")
    assert aws.client("s3").list_objects_v2(Bucket="sam-bucket")["KeyCount"] == 1


def _part_of(aws: EmbeddedAws, template_url: str) -> str:
    """A stack of a table, a function with its role, and what they need; as long as the whole, and beside it."""
    bucket = template_url.rsplit("/", 2)[1]
    s3 = aws.client("s3")
    template = json.loads(s3.get_object(Bucket=bucket, Key="template.json")["Body"].read())
    kept = {"SessionsTable", "FunctionsLogGroup", "DependenciesLayer", "DependenciesArm64Layer", "TakeSlotFunction"}
    template["Resources"] = {name: each for name, each in template["Resources"].items() if name in kept}
    template["Outputs"] = {"SessionsTable": template["Outputs"]["SessionsTable"]}
    template["Metadata"]["Length"] = "x" * TEMPLATE_BODY_BYTES
    s3.put_object(Bucket=bucket, Key="part.json", Body=json.dumps(template).encode())
    return template_url.replace("template.json", "part.json")


def test_nothing_is_imported_without_a_yes(aws: EmbeddedAws, by_hand: ByHand, tmp_path: Path) -> None:
    declined = adopt(aws, tmp_path, "--stack", "declined", "--domain", by_hand.domain, answer="n\n")

    assert declined.returncode == 0, declined.stdout + declined.stderr
    assert by_hand.rule in declined.stdout
    assert "Nothing was imported." in declined.stdout
    assert (tmp_path / "adoption" / "template.json").is_file()
    stacks = {each["StackName"] for each in aws.client("cloudformation").list_stacks()["StackSummaries"]}
    assert "declined" not in stacks


def test_what_belongs_to_a_stack_is_left_to_it(aws: EmbeddedAws, by_hand: ByHand, tmp_path: Path) -> None:
    first = adopt(aws, tmp_path, "--stack", "first", "--domain", by_hand.domain, "--yes", "UatListenerRule")
    again = adopt(aws, tmp_path, "--stack", "first", "--domain", by_hand.domain, "--yes", "UatListenerRule")
    second = adopt(aws, tmp_path, "--stack", "second", "--domain", by_hand.domain, "--yes", "UatListenerRule")

    assert first.returncode == 0, first.stdout + first.stderr
    assert (again.returncode, second.returncode) == (1, 1)
    assert "UatListenerRule cannot be adopted: the stack has one already" in again.stderr
    assert f"{by_hand.rule} belongs to the stack first" in second.stderr


def test_nothing_is_adopted_where_two_could_be_meant(aws: EmbeddedAws, by_hand: ByHand, tmp_path: Path) -> None:
    other = aws.client("elbv2").create_rule(
        ListenerArn=by_hand.listener,
        Priority=38,
        Conditions=[{"Field": "host-header", "Values": [f"*.uat.{by_hand.domain}"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": by_hand.target_group}],
    )["Rules"][0]["RuleArn"]

    undecided = adopt(aws, tmp_path, "--stack", "undecided", "--domain", by_hand.domain, "--yes")
    decided = adopt(
        aws, tmp_path, "--stack", "decided", "--domain", by_hand.domain, "--yes", f"UatListenerRule={other}"
    )

    assert undecided.returncode == 1
    assert f"UatListenerRule={by_hand.rule}" in undecided.stderr
    assert f"UatListenerRule={other}" in undecided.stderr
    assert decided.returncode == 0, decided.stdout + decided.stderr
    assert {"UatListenerRule": other} == physical_ids(aws, "decided")


def test_a_dns_record_is_named_and_left_alone(aws: EmbeddedAws, by_hand: ByHand, tmp_path: Path) -> None:
    route53 = aws.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference=by_hand.domain)["HostedZone"]["Id"]
    record = {
        "Name": f"*.uat.{by_hand.domain}",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": "other.example.net"}],
    }
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]

    adopted = adopt(aws, tmp_path, "--stack", "named", "--domain", by_hand.domain, "--yes", "UatListenerRule")

    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    assert "leads to other.example.net" in adopted.stdout
    assert "CloudFormation cannot import a DNS record" in adopted.stdout
    assert records == route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
