"""What CloudFormation makes of a template, read back through the services' own APIs."""

from __future__ import annotations

import copy
import json
import uuid
from typing import TYPE_CHECKING

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws, Json

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
    assert table_settings(aws, stack["Name"]) == ("ENABLED", "expires_at", "ENABLED", "ENABLED")
    changed = copy.deepcopy(TABLE)
    changed["Properties"]["TimeToLiveSpecification"]["Enabled"] = False
    del changed["Properties"]["PointInTimeRecoverySpecification"]
    aws.deploy(template({"Name": {"Ref": "Table"}}, Table=changed), stack["Stack"])
    assert table_settings(aws, stack["Name"])[::2] == ("DISABLED", "DISABLED")


def test_a_state_machines_logging_and_tracing_are_as_declared_and_as_updated(aws: EmbeddedAws) -> None:
    destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:x:*"}}
    machine: Json = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": "arn:aws:iam::000000000000:role/workflow",
            "DefinitionString": '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
            "LoggingConfiguration": {"Level": "ALL", "IncludeExecutionData": False, "Destinations": [destination]},
            "TracingConfiguration": {"Enabled": True},
        },
    }

    def settings() -> tuple[Json, Json]:
        described = aws.client("stepfunctions").describe_state_machine(stateMachineArn=stack["Arn"])
        return described["loggingConfiguration"], described["tracingConfiguration"]

    stack = aws.deploy(template({"Arn": {"Ref": "Machine"}}, Machine=machine))
    group = {"logGroupArn": destination["CloudWatchLogsLogGroup"]["LogGroupArn"]}
    logging = {"level": "ALL", "includeExecutionData": False, "destinations": [{"cloudWatchLogsLogGroup": group}]}
    assert (logging, {"enabled": True}) == settings()
    changed = copy.deepcopy(machine)
    changed["Properties"]["LoggingConfiguration"]["Level"] = "ERROR"
    del changed["Properties"]["TracingConfiguration"]
    aws.deploy(template({"Arn": {"Ref": "Machine"}}, Machine=changed), stack["Stack"])
    assert (logging | {"level": "ERROR"}, {"enabled": False}) == settings()


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
    assert peers("Agent", "IpPermissions") + peers("Proxy", "IpPermissionsEgress") == []


def test_an_event_archive_is_made_and_removed(aws: EmbeddedAws) -> None:
    name = f"archive-{uuid.uuid4().hex[:8]}"
    bus = "arn:aws:events:us-east-1:000000000000:event-bus/default"
    properties = {"ArchiveName": name, "SourceArn": bus, "RetentionDays": 7, "EventPattern": {"source": ["aws.ecs"]}}
    archive = {"Type": "AWS::Events::Archive", "Properties": properties}
    stack = aws.deploy(template({"Arn": {"Fn::GetAtt": ["Archive", "Arn"]}}, Archive=archive, Table=TABLE))
    found = aws.client("events").describe_archive(ArchiveName=name)
    assert (found["RetentionDays"], json.loads(found["EventPattern"])) == (7, {"source": ["aws.ecs"]})
    assert stack["Arn"].endswith(f":archive/{name}")
    aws.deploy(template({}, Table=TABLE), stack["Stack"])
    assert aws.client("events").list_archives(NamePrefix=name)["Archives"] == []


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
    assert drift(aws, stack["Stack"])["Secret"] == "IN_SYNC"
    updated = aws.deploy(template(outputs, Secret=secret("second"), Table=TABLE), stack["Stack"])
    assert stack["Ref"] == updated["Ref"]
    secrets = aws.client("secretsmanager")
    assert secrets.describe_secret(SecretId=stack["Ref"])["Description"] == "second"
    secrets.update_secret(SecretId=stack["Ref"], Description="by hand")
    assert drift(aws, stack["Stack"])["Secret"] == "MODIFIED"
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
    assert (main["healthCheck"]["command"], main["healthCheck"]["startPeriod"]) == (["CMD", "true"], 5)
    assert (main["linuxParameters"]["initProcessEnabled"], main["stopTimeout"]) == (True, 7)
    run = ecs.run_task(cluster=aws.cluster, taskDefinition=stack["Definition"], launchType="FARGATE")
    assert aws.task_output(run["tasks"][0]["taskArn"]) == "agent"


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
    assert len(json.loads(generated)["signing_key"]) == 64
    assert json.loads(generated)["signing_key"].isalnum()
    assert stack["Callback"] == "https://sign-in.uat.example.com"
    eventually(lambda: [generated] == shown())

    secrets.put_secret_value(SecretId=stack["Keys"], SecretString="changed")
    ecs.update_service(cluster=aws.cluster, service=stack["Service"], forceNewDeployment=True)
    eventually(lambda: shown() == ["changed"])
    ecs.get_waiter("services_stable").wait(
        cluster=aws.cluster, services=[stack["Service"]], WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    ecs.update_service(cluster=aws.cluster, service=stack["Service"], desiredCount=0)
    eventually(lambda: shown() == [])


def test_an_alarm_on_a_metric_math_expression_is_stored_as_declared(aws: EmbeddedAws) -> None:
    def query(name: str) -> Json:
        metric = {"Namespace": "ECS/ContainerInsights", "MetricName": f"{name}TaskCount"}
        stat = {"Metric": metric, "Period": 60, "Stat": "Average"}
        return {"Id": name.lower(), "ReturnData": False, "MetricStat": stat}

    alarm: Json = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Metrics": [{"Id": "missing", "Expression": "desired - running"}, query("Desired"), query("Running")],
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0,
            "EvaluationPeriods": 5,
            "TreatMissingData": "breaching",
        },
    }
    stack = aws.deploy(template({"Name": {"Ref": "Alarm"}}, Alarm=alarm))
    (found,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[stack["Name"]])["MetricAlarms"]
    expected = {name: value for name, value in alarm["Properties"].items() if name != "Metrics"}
    assert expected == {name: found[name] for name in expected}
    assert alarm["Properties"]["Metrics"] == found["Metrics"]
    assert "MetricName" not in found
    assert found["StateValue"] == "INSUFFICIENT_DATA"
