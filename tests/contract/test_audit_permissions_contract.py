"""The audit's role: what its checks ask, what CloudFormation reads in its name, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent.doctor.checks import CHECKS

if TYPE_CHECKING:
    Document = dict[str, Any]

OWN = {"dynamodb:PutItem", "sqs:SendMessage"}  # what the last audit found, and one that failed
# DetectStackDrift is authorised for the stack and each of its resources, which it reads in the name of whoever asks:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/detect-drift-stack.html
# What it reads are the `read` permissions of the resource type's schema, as far as the template sets such properties.
READ_FOR_DRIFT: dict[str, set[str]] = {
    "AWS::ApiGatewayV2::Api": {"apigateway:GET"},
    "AWS::ApiGatewayV2::ApiMapping": {"apigateway:GET"},
    "AWS::ApiGatewayV2::DomainName": {"apigateway:GET"},
    "AWS::ApiGatewayV2::Stage": {"apigateway:GET"},
    "AWS::CloudWatch::Alarm": {"cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"},
    "AWS::CloudWatch::Dashboard": {"cloudwatch:GetDashboard"},
    "AWS::DynamoDB::Table": {
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeContributorInsights",
        "dynamodb:DescribeKinesisStreamingDestination",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:GetResourcePolicy",
        "dynamodb:ListTagsOfResource",
    },
    "AWS::EC2::SecurityGroup": {"ec2:DescribeSecurityGroups"},
    "AWS::EC2::SecurityGroupIngress": {"ec2:DescribeSecurityGroupRules"},
    "AWS::ECS::Cluster": {"ecs:DescribeClusters"},
    "AWS::ECS::Service": {"ecs:DescribeServices"},
    "AWS::ECS::TaskDefinition": {"ecs:DescribeTaskDefinition", "ecs:ListTagsForResource"},
    "AWS::ElasticLoadBalancingV2::Listener": {
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListeners",
    },
    "AWS::ElasticLoadBalancingV2::ListenerRule": {"elasticloadbalancing:DescribeRules"},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
    },
    "AWS::ElasticLoadBalancingV2::TargetGroup": {
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
    },
    "AWS::Events::Rule": {"events:DescribeRule", "events:ListTargetsByRule"},
    "AWS::IAM::Role": {"iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"},
    "AWS::KMS::Key": {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"},
    "AWS::Lambda::EventInvokeConfig": {"lambda:GetFunctionEventInvokeConfig"},
    "AWS::Lambda::EventSourceMapping": {"lambda:GetEventSourceMapping"},
    "AWS::Lambda::Function": {
        "lambda:GetFunction",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetFunctionRecursionConfig",
        "lambda:GetRuntimeManagementConfig",
        "lambda:ListTags",
    },
    "AWS::Lambda::LayerVersion": {"lambda:GetLayerVersion"},
    "AWS::Lambda::Permission": {"lambda:GetPolicy"},
    "AWS::Logs::LogGroup": {"logs:DescribeLogGroups", "logs:ListTagsForResource"},
    "AWS::Logs::MetricFilter": {"logs:DescribeMetricFilters"},
    "AWS::Route53::RecordSet": {"route53:GetHostedZone", "route53:ListResourceRecordSets"},
    "AWS::SNS::Subscription": {"sns:GetSubscriptionAttributes"},
    "AWS::SNS::Topic": {
        "sns:GetDataProtectionPolicy",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:ListTagsForResource",
    },
    "AWS::SNS::TopicPolicy": set(),  # has no drift detection
    "AWS::SQS::Queue": {"sqs:GetQueueAttributes", "sqs:ListQueueTags"},
    "AWS::SQS::QueuePolicy": set(),  # has none
    "AWS::SecretsManager::Secret": {"secretsmanager:DescribeSecret"},
    "AWS::StepFunctions::StateMachine": {"states:DescribeStateMachine", "states:ListTagsForResource"},
}


@pytest.fixture(scope="module")
def statements(resources: Document) -> list[Document]:
    policies = resources["AuditPathFunctionRole"]["Properties"]["Policies"]
    found: list[Document] = []
    for policy in policies:
        listed = policy["PolicyDocument"]["Statement"]
        found += listed if isinstance(listed, list) else [listed]
    return found


def _allowed(statements: list[Document]) -> set[str]:
    return {
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_each_type_of_resource_has_its_reads(resources: Document) -> None:
    assert set(READ_FOR_DRIFT) == {resource["Type"] for resource in resources.values()}


def test_the_audit_may_do_what_its_checks_take_and_nothing_else(statements: list[Document]) -> None:
    taken = {action for check in CHECKS for action in check.actions}
    drift = {"cloudformation:DetectStackResourceDrift"}
    assert taken | OWN | drift | set().union(*READ_FOR_DRIFT.values()) == _allowed(statements)


def test_it_writes_nothing_but_its_own_memory(statements: list[Document]) -> None:
    reading = ("Describe", "Detect", "Get", "GET", "List", "Simulate")
    writing = {action for action in _allowed(statements) if not action.partition(":")[2].startswith(reading)}
    assert OWN == writing
    (memory,) = [statement for statement in statements if "dynamodb:PutItem" == statement["Action"]]
    assert {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["AUDIT"]}} == memory["Condition"]
