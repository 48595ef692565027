"""What CloudFormation's drift detection says of what a hand changed."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws


def test_drift_is_seen_on_load_balancers_security_groups_services_records_and_policies(aws: EmbeddedAws) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}
    target, vpc = {"Ref": "TargetGroup"}, {"Ref": "Vpc"}
    balancer = {"Subnets": ["subnet-00000001"], "SecurityGroups": [{"Ref": "Group"}], "Scheme": "internal"}
    listener = {"Ref": "Listener"}
    alias = {"DNSName": {"Fn::GetAtt": ["Balancer", "DNSName"]}, "HostedZoneId": "Z35SXDOTRQ7X7K"}
    host = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}]
    rule = {"Priority": 10, "Conditions": host, "Actions": [{"Type": "forward", "TargetGroupArn": target}]}
    elbv2, iam = "AWS::ElasticLoadBalancingV2", aws.client("iam")
    network = {"AwsvpcConfiguration": {"Subnets": ["subnet-00000001"]}}
    task = aws.define_task("")
    zone = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference=uuid.uuid4().hex)
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    assumes = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    record = {"HostedZoneId": zone_id, "Name": "*.example.com", "Type": "A", "AliasTarget": alias}
    ingress = {"GroupId": {"Ref": "Group"}, "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": "10.0.0.0/8"}
    resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "test", "VpcId": vpc}},
        "Ingress": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": ingress},
        "Balancer": {"Type": f"{elbv2}::LoadBalancer", "Properties": balancer},
        "TargetGroup": {
            "Type": f"{elbv2}::TargetGroup",
            "Properties": {"VpcId": vpc, "Port": 80, "Protocol": "HTTP", "HealthCheckPath": "/health"},
        },
        "Listener": {
            "Type": f"{elbv2}::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Balancer"},
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": target}],
            },
        },
        "Rule": {"Type": f"{elbv2}::ListenerRule", "Properties": rule | {"ListenerArn": listener}},
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"ContainerDefinitions": [{"Name": "a", "Image": "b"}]},
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Task"},
                "DesiredCount": 0,
                "NetworkConfiguration": network,
            },
        },
        "Record": {"Type": "AWS::Route53::RecordSet", "Properties": record},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [assumes]},
                "Policies": [{"PolicyName": "send", "PolicyDocument": policy}],
            },
        },
    }
    ids = {name: {"Ref": name} for name in resources}
    stack = aws.deploy({"Resources": resources, "Outputs": {name: {"Value": value} for name, value in ids.items()}})

    def drifted() -> dict[str, str]:
        cloudformation = aws.client("cloudformation")
        cloudformation.detect_stack_drift(StackName=stack["Stack"])
        drifts = cloudformation.describe_stack_resource_drifts(StackName=stack["Stack"])["StackResourceDrifts"]
        return {
            one["LogicalResourceId"]: one["StackResourceDriftStatus"]
            for one in drifts
            if one["StackResourceDriftStatus"] != "IN_SYNC"
        }

    assert drifted() == {}
    client = aws.client("elbv2")
    client.modify_target_group(TargetGroupArn=stack["TargetGroup"], HealthCheckPath="/other")
    other = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.net"]}}]
    client.modify_rule(RuleArn=stack["Rule"], Conditions=other)
    aws.client("ecs").update_service(cluster=stack["Cluster"], service=stack["Service"], taskDefinition=task)
    elsewhere = record | {
        "AliasTarget": {"DNSName": "x.example.com", "HostedZoneId": "Z1", "EvaluateTargetHealth": False}
    }
    change = {"Action": "UPSERT", "ResourceRecordSet": {k: v for k, v in elsewhere.items() if k != "HostedZoneId"}}
    aws.client("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [change]})
    iam.put_role_policy(
        RoleName=stack["Role"], PolicyName="send", PolicyDocument=json.dumps(policy).replace("Send", "*")
    )
    modified = ("TargetGroup", "Rule", "Service", "Record", "Role")
    assert dict.fromkeys(modified, "MODIFIED") == drifted()
    client.delete_load_balancer(LoadBalancerArn=stack["Balancer"])
    ec2 = aws.client("ec2")
    ec2.revoke_security_group_ingress(GroupId=stack["Group"], SecurityGroupRuleIds=[stack["Ingress"]])
    deleted = ("Balancer", "Listener", "Rule", "Ingress")
    assert dict.fromkeys(modified, "MODIFIED") | dict.fromkeys(deleted, "DELETED") == drifted()
