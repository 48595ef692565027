"""What load balancers, listeners and target groups say of each other, and who may delete one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws, Json

PROTECTION = "deletion_protection.enabled"


def protect(aws: EmbeddedAws, balancer: str, *, value: bool) -> None:
    aws.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=balancer, Attributes=[{"Key": PROTECTION, "Value": str(value).lower()}]
    )


def balancers(aws: EmbeddedAws) -> list[str]:
    return [each["LoadBalancerArn"] for each in aws.client("elbv2").describe_load_balancers()["LoadBalancers"]]


def load_balancer(aws: EmbeddedAws) -> str:
    answer = aws.client("elbv2").create_load_balancer(Name=f"lb-{uuid.uuid4().hex[:8]}", Subnets=["subnet-00000001"])
    arn: str = answer["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def target_group(aws: EmbeddedAws) -> str:
    answer = aws.client("elbv2").create_target_group(
        Name=f"tg-{uuid.uuid4().hex[:8]}", Protocol="HTTP", Port=8080, VpcId="vpc-00000001", TargetType="ip"
    )
    arn: str = answer["TargetGroups"][0]["TargetGroupArn"]
    return arn


def test_a_protected_load_balancer_is_deleted_by_nobody_until_the_protection_is_lifted(aws: EmbeddedAws) -> None:
    elbv2, balancer = aws.client("elbv2"), load_balancer(aws)
    protect(aws, balancer, value=True)
    with pytest.raises(ClientError, match=r"OperationNotPermitted.*deletion protection is enabled"):
        elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    assert balancer in balancers(aws)
    protect(aws, balancer, value=False)
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    assert balancer not in balancers(aws)


def test_a_stack_with_a_protected_load_balancer_cannot_be_deleted(aws: EmbeddedAws) -> None:
    attributes = [{"Key": PROTECTION, "Value": "true"}]
    properties = {"Subnets": ["subnet-00000001", "subnet-00000002"], "LoadBalancerAttributes": attributes}
    resource = {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": properties}
    stack = aws.deploy({"Resources": {"Balancer": resource}, "Outputs": {"Arn": {"Value": {"Ref": "Balancer"}}}})
    cloudformation = aws.client("cloudformation")

    def ended() -> str:
        cloudformation.delete_stack(StackName=stack["Stack"])

        def status() -> str | None:
            found: Json = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
            return None if found["StackStatus"].endswith("IN_PROGRESS") else found["StackStatus"]

        return eventually(status, 30)

    stack_id = cloudformation.describe_stacks(StackName=stack["Stack"])["Stacks"][0]["StackId"]
    assert ended() == "DELETE_FAILED"
    assert stack["Arn"] in balancers(aws)
    protect(aws, stack["Arn"], value=False)
    assert ended() == "DELETE_COMPLETE"
    assert stack["Arn"] not in balancers(aws)


def test_a_target_group_belongs_to_the_load_balancer_that_a_rule_forwards_from(aws: EmbeddedAws) -> None:
    elbv2, balancer = aws.client("elbv2"), load_balancer(aws)
    by_default, by_rule, unused = (target_group(aws) for _ in range(3))

    def owners(group: str) -> list[str]:
        described: list[str] = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0][
            "LoadBalancerArns"
        ]
        return described

    listener = elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": by_default}],
    )["Listeners"][0]["ListenerArn"]
    rule = elbv2.create_rule(
        ListenerArn=listener,
        Priority=10,
        Conditions=[{"Field": "host-header", "Values": ["*.uat.example.com"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": by_rule}],
    )["Rules"][0]["RuleArn"]

    assert ([balancer], [balancer], []) == (owners(by_default), owners(by_rule), owners(unused))
    listed = elbv2.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    assert {by_default, by_rule} == {group["TargetGroupArn"] for group in listed}
    elbv2.delete_rule(RuleArn=rule)
    assert ([balancer], []) == (owners(by_default), owners(by_rule))
