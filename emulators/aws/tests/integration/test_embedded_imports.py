"""What is there already comes into a stack by an import, and stays what it is."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws, Json

TYPES = {
    "Table": ("AWS::DynamoDB::Table", "TableName"),
    "Cluster": ("AWS::ECS::Cluster", "ClusterName"),
    "Group": ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupArn"),
    "Rule": ("AWS::ElasticLoadBalancingV2::ListenerRule", "RuleArn"),
}


def by_hand(aws: EmbeddedAws) -> tuple[dict[str, str], Json]:
    """A table, a cluster, a target group and a rule that no stack made: their identifiers and a template of them."""
    name = f"by-hand-{uuid.uuid4().hex[:8]}"
    elbv2 = aws.client("elbv2")
    keys = {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    }
    aws.client("dynamodb").create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **keys)
    aws.client("ecs").create_cluster(clusterName=name)
    target = {"Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-00000001", "TargetType": "ip"}
    group = elbv2.create_target_group(Name=name, **target)["TargetGroups"][0]["TargetGroupArn"]
    balancer = elbv2.create_load_balancer(Name=name, Subnets=["subnet-00000001"])["LoadBalancers"][0]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward
    )["Listeners"][0]["ListenerArn"]
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}]
    rule = elbv2.create_rule(ListenerArn=listener, Priority=10, Conditions=conditions, Actions=forward)["Rules"][0]
    properties = {
        "Table": {"BillingMode": "PAY_PER_REQUEST", **keys},
        "Cluster": {"ClusterSettings": [{"Name": "containerInsights", "Value": "disabled"}]},
        "Group": {**target, "HealthCheckPath": "/"},
        "Rule": {"ListenerArn": listener, "Priority": 10, "Conditions": conditions, "Actions": forward},
    }
    resources = {
        logical_id: {"Type": TYPES[logical_id][0], "DeletionPolicy": "Retain", "Properties": stated}
        for logical_id, stated in properties.items()
    }
    return {"Table": name, "Cluster": name, "Group": group, "Rule": rule["RuleArn"]}, {"Resources": resources}


def imported(aws: EmbeddedAws, identifiers: dict[str, str], template: Json) -> str:
    """The name of a new stack that the resources were brought into."""
    cloudformation, stack = aws.client("cloudformation"), f"stack-{uuid.uuid4().hex[:8]}"
    change_set = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="import",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        ResourcesToImport=[
            {
                "LogicalResourceId": logical_id,
                "ResourceType": TYPES[logical_id][0],
                "ResourceIdentifier": {TYPES[logical_id][1]: identifier},
            }
            for logical_id, identifier in identifiers.items()
        ],
    )["Id"]
    described = cloudformation.describe_change_set(ChangeSetName=change_set)
    assert described["ExecutionStatus"] == "AVAILABLE", described["StatusReason"]
    cloudformation.execute_change_set(ChangeSetName=change_set)
    cloudformation.get_waiter("stack_import_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    return stack


def physical_ids(aws: EmbeddedAws, stack: str) -> dict[str, str]:
    found = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def test_what_was_made_by_hand_is_imported_and_its_first_update_leaves_it_in_place(aws: EmbeddedAws) -> None:
    identifiers, template = by_hand(aws)
    stack = imported(aws, identifiers, template)
    assert identifiers == physical_ids(aws, stack)

    resources = template["Resources"]
    resources["Cluster"]["Properties"]["ClusterSettings"][0]["Value"] = "enabled"
    resources["Group"]["Properties"]["HealthCheckPath"] = "/health"
    resources["Table"]["Properties"]["TimeToLiveSpecification"] = {"AttributeName": "expires_at", "Enabled": True}
    resources["Rule"]["Properties"]["Priority"] = 20
    aws.deploy(template, stack)

    assert identifiers == physical_ids(aws, stack)
    (group,) = aws.client("elbv2").describe_target_groups(TargetGroupArns=[identifiers["Group"]])["TargetGroups"]
    assert group["HealthCheckPath"] == "/health"
    ttl = aws.client("dynamodb").describe_time_to_live(TableName=identifiers["Table"])["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"
    (rule,) = aws.client("elbv2").describe_rules(RuleArns=[identifiers["Rule"]])["Rules"]
    assert rule["Priority"] == "20"


def test_what_does_not_exist_is_not_imported(aws: EmbeddedAws) -> None:
    _, template = by_hand(aws)
    del template["Resources"]["Table"], template["Resources"]["Group"], template["Resources"]["Rule"]
    with pytest.raises(AssertionError, match="'nobodys' was not found"):
        imported(aws, {"Cluster": "nobodys"}, template)


def test_the_stack_that_a_resource_belongs_to_is_found_by_the_resource(aws: EmbeddedAws) -> None:
    identifiers, template = by_hand(aws)
    cloudformation = aws.client("cloudformation")
    with pytest.raises(ClientError, match=r"Stack for .* does not exist"):
        cloudformation.describe_stack_resources(PhysicalResourceId=identifiers["Rule"])
    stack = imported(aws, identifiers, template)
    found = cloudformation.describe_stack_resources(PhysicalResourceId=identifiers["Rule"])["StackResources"]
    assert {stack} == {each["StackName"] for each in found}
    for each in template["Resources"].values():
        each["DeletionPolicy"] = "Delete"
    aws.deploy(template, stack)
    cloudformation.delete_stack(StackName=stack)

    def unknown() -> bool:
        try:
            cloudformation.describe_stack_resources(PhysicalResourceId=identifiers["Rule"])
        except ClientError:
            return True
        return False

    eventually(unknown, 20)
