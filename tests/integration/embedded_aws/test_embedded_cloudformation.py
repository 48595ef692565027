"""What CloudFormation makes of a template, read back through the services' own APIs."""

from __future__ import annotations

import copy
import json
import uuid
from typing import TYPE_CHECKING

from tests.eventually import eventually

if TYPE_CHECKING:
    from tests.integration.embedded_aws.conftest import EmbeddedAws, Json

TABLE: Json = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    },
}


def template(outputs: Json, **resources: object) -> Json:
    return {"Resources": resources, "Outputs": {name: {"Value": value} for name, value in outputs.items()}}


def table_settings(aws: EmbeddedAws, name: str) -> tuple[str, str | None, str, str | None]:
    dynamodb = aws.client("dynamodb")
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    sse = dynamodb.describe_table(TableName=name)["Table"].get("SSEDescription", {})
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    return ttl["TimeToLiveStatus"], ttl.get("AttributeName"), recovery, sse.get("Status")


def test_a_tables_ttl_recovery_and_encryption_are_as_declared_and_as_updated(aws: EmbeddedAws) -> None:
    stack = aws.deploy(template({"Name": {"Ref": "Table"}}, Table=TABLE))
    assert ("ENABLED", "expires_at", "ENABLED", "ENABLED") == table_settings(aws, stack["Name"])
    changed = copy.deepcopy(TABLE)
    changed["Properties"]["TimeToLiveSpecification"]["Enabled"] = False
    del changed["Properties"]["PointInTimeRecoverySpecification"]
    aws.deploy(template({"Name": {"Ref": "Table"}}, Table=changed), stack["Stack"])
    assert ("DISABLED", "DISABLED") == table_settings(aws, stack["Name"])[::2]


def test_security_group_rules_that_name_each_other_are_added_and_removed(aws: EmbeddedAws) -> None:
    def group(name: str) -> Json:
        return {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": name, "VpcId": {"Ref": "Vpc"}}}

    def rule(kind: str, group: str, other_key: str, other: str) -> Json:
        ports = {"IpProtocol": "tcp", "FromPort": 3000, "ToPort": 3000}
        peers = {"GroupId": {"Fn::GetAtt": [group, "GroupId"]}, other_key: {"Fn::GetAtt": [other, "GroupId"]}}
        return {"Type": f"AWS::EC2::SecurityGroup{kind}", "Properties": ports | peers}

    resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Proxy": group("proxy"),
        "Agent": group("agent"),
    }
    rules = {
        "In": rule("Ingress", "Agent", "SourceSecurityGroupId", "Proxy"),
        "Out": rule("Egress", "Proxy", "DestinationSecurityGroupId", "Agent"),
    }
    outputs = {"Agent": {"Fn::GetAtt": ["Agent", "GroupId"]}, "Proxy": {"Fn::GetAtt": ["Proxy", "GroupId"]}}
    stack = aws.deploy(template(outputs | {"Rule": {"Ref": "In"}}, **resources, **rules))

    def peers(name: str, permissions: str) -> list[tuple[str, int]]:
        found = aws.client("ec2").describe_security_groups(GroupIds=[stack[name]])["SecurityGroups"][0]
        pairs = [(rule["UserIdGroupPairs"], rule.get("FromPort")) for rule in found[permissions]]
        return [(pair["GroupId"], port) for listed, port in pairs for pair in listed]

    assert [(stack["Proxy"], 3000)] == peers("Agent", "IpPermissions")
    assert [(stack["Agent"], 3000)] == peers("Proxy", "IpPermissionsEgress")
    assert stack["Rule"].startswith("sgr-")
    aws.deploy(template(outputs, **resources), stack["Stack"])
    assert [] == peers("Agent", "IpPermissions") + peers("Proxy", "IpPermissionsEgress")


def test_an_event_archive_is_made_and_removed(aws: EmbeddedAws) -> None:
    name = f"archive-{uuid.uuid4().hex[:8]}"
    bus = "arn:aws:events:us-east-1:000000000000:event-bus/default"
    properties = {"ArchiveName": name, "SourceArn": bus, "RetentionDays": 7, "EventPattern": {"source": ["aws.ecs"]}}
    archive = {"Type": "AWS::Events::Archive", "Properties": properties}
    stack = aws.deploy(template({"Arn": {"Fn::GetAtt": ["Archive", "Arn"]}}, Archive=archive, Table=TABLE))
    found = aws.client("events").describe_archive(ArchiveName=name)
    assert (7, {"source": ["aws.ecs"]}) == (found["RetentionDays"], json.loads(found["EventPattern"]))
    assert stack["Arn"].endswith(f":archive/{name}")
    aws.deploy(template({}, Table=TABLE), stack["Stack"])
    assert [] == aws.client("events").list_archives(NamePrefix=name)["Archives"]


def secret(description: str) -> Json:
    generate = {"SecretStringTemplate": '{"user": "agent"}', "GenerateStringKey": "token"}
    return {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"Description": description, "GenerateSecretString": generate},
    }


def drift(aws: EmbeddedAws, stack: str) -> dict[str, str]:
    cloudformation = aws.client("cloudformation")
    started = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]

    def detected() -> bool:
        status = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=started)
        return bool(status["DetectionStatus"] == "DETECTION_COMPLETE")

    eventually(detected)
    drifts = cloudformation.describe_stack_resource_drifts(StackName=stack)["StackResourceDrifts"]
    return {each["LogicalResourceId"]: each["StackResourceDriftStatus"] for each in drifts}


def test_ref_of_a_secret_is_its_arn_through_update_drift_and_deletion(aws: EmbeddedAws) -> None:
    outputs = {"Ref": {"Ref": "Secret"}, "Id": {"Fn::GetAtt": ["Secret", "Id"]}}
    stack = aws.deploy(template(outputs, Secret=secret("first"), Table=TABLE))
    assert stack["Ref"].startswith("arn:aws:secretsmanager:us-east-1:000000000000:secret:")
    assert stack["Ref"] == stack["Id"]
    assert "IN_SYNC" == drift(aws, stack["Stack"])["Secret"]
    updated = aws.deploy(template(outputs, Secret=secret("second"), Table=TABLE), stack["Stack"])
    assert stack["Ref"] == updated["Ref"]
    secrets = aws.client("secretsmanager")
    assert "second" == secrets.describe_secret(SecretId=stack["Ref"])["Description"]
    secrets.update_secret(SecretId=stack["Ref"], Description="by hand")
    assert "MODIFIED" == drift(aws, stack["Stack"])["Secret"]
    aws.deploy(template({}, Table=TABLE), stack["Stack"])
    names = [each["ARN"] for each in secrets.list_secrets()["SecretList"]]
    assert stack["Ref"] not in names


def test_a_template_task_definition_keeps_secrets_health_check_and_stop_timeout(aws: EmbeddedAws) -> None:
    container = {
        "Name": "main",
        "Image": "local/python",
        "Command": ["-c", "import json, os; print(json.dumps(os.environ['TOKEN']))"],
        "Secrets": [{"Name": "TOKEN", "ValueFrom": {"Fn::Sub": "${Secret}:user::"}}],
        "HealthCheck": {"Command": ["CMD", "true"], "StartPeriod": 5},
        "LinuxParameters": {"InitProcessEnabled": True},
        "StopTimeout": 7,
    }
    definition = {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {"NetworkMode": "awsvpc", "ContainerDefinitions": [container]},
    }
    stack = aws.deploy(template({"Definition": {"Ref": "Task"}}, Secret=secret("s"), Task=definition))
    ecs = aws.client("ecs")
    found = ecs.describe_task_definition(taskDefinition=stack["Definition"])["taskDefinition"]
    (main,) = found["containerDefinitions"]
    assert [{"name": "TOKEN", "valueFrom": main["secrets"][0]["valueFrom"]}] == main["secrets"]
    assert (["CMD", "true"], 5) == (main["healthCheck"]["command"], main["healthCheck"]["startPeriod"])
    assert (True, 7) == (main["linuxParameters"]["initProcessEnabled"], main["stopTimeout"])
    run = ecs.run_task(cluster=aws.cluster, taskDefinition=stack["Definition"], launchType="FARGATE")
    assert "agent" == aws.task_output(run["tasks"][0]["taskArn"])


def test_a_services_numbers_may_come_from_parameters(aws: EmbeddedAws) -> None:
    definition = aws.define_task("time.sleep(300)")
    service = {
        "Type": "AWS::ECS::Service",
        "Properties": {
            "Cluster": aws.cluster,
            "TaskDefinition": definition,
            "LaunchType": "FARGATE",
            "DesiredCount": {"Ref": "Count"},
        },
    }
    source = template({"Arn": {"Ref": "Service"}}, Service=service)
    source["Parameters"] = {"Count": {"Type": "Number", "Default": 1}}
    stack = aws.deploy(source)
    ecs = aws.client("ecs")

    def described() -> Json:
        found: Json = ecs.describe_services(cluster=aws.cluster, services=[stack["Arn"]])["services"][0]
        return found

    eventually(lambda: described()["runningCount"] == 1)
    source["Parameters"]["Count"]["Default"] = 0
    aws.deploy(source, stack["Stack"])
    eventually(lambda: (described()["desiredCount"], described()["runningCount"]) == (0, 0))


def test_a_generated_secret_reaches_a_service_and_a_changed_one_its_next_deployment(aws: EmbeddedAws) -> None:
    generate = {
        "SecretStringTemplate": '{"verifying_key": ""}',
        "GenerateStringKey": "signing_key",
        "PasswordLength": 64,
        "ExcludePunctuation": True,
    }
    keys = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": generate}}
    container = {
        "Name": "main",
        "Image": "local/python",
        "Command": ["-u", "-c", "import os, time; print(os.environ['KEYS']); time.sleep(300)"],
        "Secrets": [{"Name": "KEYS", "ValueFrom": {"Ref": "Keys"}}],
    }
    definition = {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {"NetworkMode": "awsvpc", "ContainerDefinitions": [container]},
    }
    service = {
        "Type": "AWS::ECS::Service",
        "Properties": {
            "Cluster": aws.cluster,
            "TaskDefinition": {"Ref": "Task"},
            "LaunchType": "FARGATE",
            "DesiredCount": 1,
        },
    }
    outputs = {
        "Keys": {"Ref": "Keys"},
        "Service": {"Ref": "Service"},
        "Callback": {"Fn::Join": ["//sign-in.", {"Fn::Split": ["//", "https://uat.example.com"]}]},
    }
    stack = aws.deploy(template(outputs, Keys=keys, Task=definition, Service=service))
    ecs, secrets = aws.client("ecs"), aws.client("secretsmanager")

    def shown() -> list[str]:
        tasks = ecs.list_tasks(cluster=aws.cluster, serviceName=stack["Service"].rpartition("/")[2])["taskArns"]
        return [aws.task_log(arn).strip() for arn in tasks]

    generated = secrets.get_secret_value(SecretId=stack["Keys"])["SecretString"]
    assert {"verifying_key", "signing_key"} == json.loads(generated).keys()
    assert 64 == len(json.loads(generated)["signing_key"])
    assert json.loads(generated)["signing_key"].isalnum()
    assert "https://sign-in.uat.example.com" == stack["Callback"]
    eventually(lambda: [generated] == shown())

    secrets.put_secret_value(SecretId=stack["Keys"], SecretString="changed")
    ecs.update_service(cluster=aws.cluster, service=stack["Service"], forceNewDeployment=True)
    eventually(lambda: ["changed"] == shown())
    ecs.get_waiter("services_stable").wait(
        cluster=aws.cluster, services=[stack["Service"]], WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    ecs.update_service(cluster=aws.cluster, service=stack["Service"], desiredCount=0)
    eventually(lambda: [] == shown())


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
    stack = aws.deploy(template(ids, **resources))

    def drifted() -> dict[str, str]:
        cloudformation = aws.client("cloudformation")
        cloudformation.detect_stack_drift(StackName=stack["Stack"])
        drifts = cloudformation.describe_stack_resource_drifts(StackName=stack["Stack"])["StackResourceDrifts"]
        return {
            one["LogicalResourceId"]: one["StackResourceDriftStatus"]
            for one in drifts
            if one["StackResourceDriftStatus"] != "IN_SYNC"
        }

    assert {} == drifted()
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
