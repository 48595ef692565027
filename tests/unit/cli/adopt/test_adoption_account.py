"""Answers as the services' API references show them, and what an import's template says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent_cli.adopt import load_balancers, tables
from cloud_agent_cli.adopt.account import find
from cloud_agent_cli.adopt.dns_record import Record, record
from cloud_agent_cli.adopt.search import Search
from cloud_agent_doctor.engine.aws import Aws
from cloud_agent_doctor.engine.errors import DataUnavailableError

if TYPE_CHECKING:
    from tests.unit.cli.adopt.conftest import DocumentedAws

    Json = dict[str, Any]

SEARCH = Search("claude-cloud-agent", "example.com", {})
KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
PREFIX = "arn:aws:elasticloadbalancing:eu-central-1:111122223333"
BALANCER = f"{PREFIX}:loadbalancer/app/shared/50dc6c495c0c9188"
LISTENER = f"{PREFIX}:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
RULE = f"{PREFIX}:listener-rule/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
GROUP = f"{PREFIX}:targetgroup/proxy/73e2d6bc24d8a067"
HOST_NAMES = {
    "Field": "host-header",
    "Values": ["*.UAT.example.com"],
    "HostHeaderConfig": {"Values": ["*.UAT.example.com"]},
}
FORWARD = {
    "Type": "forward",
    "TargetGroupArn": GROUP,
    "Order": 1,
    "ForwardConfig": {
        "TargetGroups": [{"TargetGroupArn": GROUP, "Weight": 1}],
        "TargetGroupStickinessConfig": {"Enabled": False},
    },
}


def answer_with_a_table(documented: DocumentedAws, name: str, **table: object) -> None:
    described = {
        "TableName": name,
        "KeySchema": KEYS,
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", "owner", "created_at")
        ],
        **table,
    }
    documented.answers("dynamodb", "describe_table", {"Table": described}, TableName=name)


def answer_with_its_settings(documented: DocumentedAws, name: str, recovery: str, ttl: Json) -> None:
    backups = {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": recovery},
    }
    documented.answers(
        "dynamodb", "describe_continuous_backups", {"ContinuousBackupsDescription": backups}, TableName=name
    )
    documented.answers("dynamodb", "describe_time_to_live", {"TimeToLiveDescription": ttl}, TableName=name)


def test_a_table_is_known_by_its_name_and_described_in_the_templates_words(documented: DocumentedAws) -> None:
    name = "claude-cloud-agent-SessionsTable-1ABCDEF"
    documented.answers("dynamodb", "list_tables", {"TableNames": ["invoices", name]})
    answer_with_a_table(
        documented,
        name,
        BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        SSEDescription={"Status": "ENABLED", "SSEType": "KMS"},
    )
    ttl = {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    answer_with_its_settings(documented, name, "ENABLED", ttl)

    (found,) = tables.tables(Aws(documented.client), SEARCH, [])

    assert (name, "its name", []) == (found.identifier, found.why, found.unfit)
    assert {
        "KeySchema": KEYS,
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "SSESpecification": {"SSEEnabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    } == found.stated


def test_of_a_tables_indexes_the_stacks_own_is_described_and_no_other(documented: DocumentedAws) -> None:
    index = {
        "KeySchema": [
            {"AttributeName": "sk", "KeyType": "HASH"},
            {"AttributeName": "created_at", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    other = index | {"KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}]}
    kept = [index | {"IndexName": "SessionsByStart"}, other | {"IndexName": "ByOwner"}]
    documented.answers("dynamodb", "list_tables", {"TableNames": []})
    described = [one | {"IndexStatus": "ACTIVE", "ItemCount": 7} for one in kept]
    paid = {"BillingMode": "PAY_PER_REQUEST"}
    answer_with_a_table(documented, "sessions", GlobalSecondaryIndexes=described, BillingModeSummary=paid)
    answer_with_its_settings(documented, "sessions", "DISABLED", {"TimeToLiveStatus": "DISABLED"})

    (found,) = tables.tables(Aws(documented.client), SEARCH, ["arn:aws:dynamodb:eu-central-1:1:table/sessions"])

    assert found.stated["GlobalSecondaryIndexes"] == kept[:1]
    assert [one["AttributeName"] for one in found.stated["AttributeDefinitions"]] == ["pk", "sk", "created_at"]


def test_a_table_with_other_keys_does_not_fit(documented: DocumentedAws) -> None:
    documented.answers("dynamodb", "list_tables", {"TableNames": []})
    capacity = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2, "NumberOfDecreasesToday": 1}
    other_keys = [{"AttributeName": "session_id", "KeyType": "HASH"}]
    answer_with_a_table(documented, "sessions", KeySchema=other_keys, ProvisionedThroughput=capacity)
    answer_with_its_settings(documented, "sessions", "DISABLED", {"TimeToLiveStatus": "DISABLED"})

    (found,) = tables.tables(Aws(documented.client), SEARCH, ["arn:aws:dynamodb:eu-central-1:1:table/sessions"])

    assert found.why == "its tags"
    assert len(found.unfit) == 1
    assert "its KeySchema is" in found.unfit[0]
    assert found.properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": False}
    assert "TimeToLiveSpecification" not in found.properties
    assert (
        found.stated["BillingMode"],
        found.stated["ProvisionedThroughput"],
    ) == ("PROVISIONED", {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2})


def test_a_table_that_is_named_and_does_not_exist_is_not_found(documented: DocumentedAws) -> None:
    documented.answers("dynamodb", "list_tables", {"TableNames": []})
    documented.refuses("dynamodb", "describe_table", "ResourceNotFoundException", "not found", TableName="sesions")
    search = Search("claude-cloud-agent", "example.com", {"SessionsTable": "sesions"})
    assert tables.tables(Aws(documented.client), search, []) == []


def answer_with_rules(documented: DocumentedAws, *rules: Json) -> None:
    others = {"LoadBalancerArn": "arn:net", "Type": "network"}
    balancers = [{"LoadBalancerArn": BALANCER, "Type": "application"}, others]
    documented.answers("elbv2", "describe_load_balancers", {"LoadBalancers": balancers})
    listeners = [{"ListenerArn": LISTENER, "LoadBalancerArn": BALANCER}]
    documented.answers("elbv2", "describe_listeners", {"Listeners": listeners}, LoadBalancerArn=BALANCER)
    default = {"RuleArn": "arn:default", "Priority": "default", "Conditions": [], "Actions": [], "IsDefault": True}
    documented.answers("elbv2", "describe_rules", {"Rules": [*rules, default]}, ListenerArn=LISTENER)


def rule(*conditions: Json, actions: list[Json], arn: str = RULE) -> Json:
    return {"RuleArn": arn, "Priority": "10", "Conditions": list(conditions), "Actions": actions, "IsDefault": False}


def test_a_rule_is_known_by_its_host_name_whatever_the_case(documented: DocumentedAws) -> None:
    path = {"Field": "path-pattern", "Values": ["/x"], "PathPatternConfig": {"Values": ["/x"]}}
    other = rule({"Field": "host-header", "Values": ["shop.example.com"]}, actions=[FORWARD], arn="arn:other")
    answer_with_rules(documented, other, rule(HOST_NAMES, path, actions=[FORWARD]))

    (found,) = load_balancers.rules(Aws(documented.client), SEARCH)

    assert (found.identifier, found.why) == (RULE, "its host name *.uat.example.com")
    assert found.stated == {
        "ListenerArn": LISTENER,
        "Priority": 10,
        "Conditions": [
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.UAT.example.com"]}},
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x"]}},
        ],
        "Actions": [{"Type": "forward", "TargetGroupArn": GROUP}],
    }


def test_the_weights_of_a_rule_with_two_target_groups_are_kept(documented: DocumentedAws) -> None:
    weights = {"TargetGroups": [{"TargetGroupArn": GROUP, "Weight": 9}, {"TargetGroupArn": "arn:b", "Weight": 1}]}
    answer_with_rules(documented, rule(HOST_NAMES, actions=[{"Type": "forward", "ForwardConfig": weights}]))
    (found,) = load_balancers.rules(Aws(documented.client), SEARCH)
    assert [{"Type": "forward", "ForwardConfig": weights}] == found.stated["Actions"]


def test_a_target_group_is_known_by_the_rule_that_leads_to_it(documented: DocumentedAws) -> None:
    answer_with_rules(documented, rule(HOST_NAMES, actions=[FORWARD]))
    described = {
        "TargetGroupArn": GROUP,
        "TargetGroupName": "proxy",
        "Protocol": "HTTP",
        "Port": 8080,
        "VpcId": "vpc-3ac0fb5f",
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [BALANCER],
        "TargetType": "ip",
        "ProtocolVersion": "HTTP2",
    }
    documented.answers("elbv2", "describe_target_groups", {"TargetGroups": [described]}, TargetGroupArns=[GROUP])
    attributes = [
        {"Key": "stickiness.enabled", "Value": "false"},
        {"Key": "deregistration_delay.timeout_seconds", "Value": "300"},
    ]
    documented.answers("elbv2", "describe_target_group_attributes", {"Attributes": attributes}, TargetGroupArn=GROUP)

    aws = Aws(documented.client)
    (found,) = load_balancers.target_groups(aws, SEARCH, [], load_balancers.rules(aws, SEARCH))

    assert (found.identifier, found.why) == (GROUP, "the rule for *.uat.example.com")
    assert attributes[1:] == found.stated["TargetGroupAttributes"]
    assert (found.stated["VpcId"], found.stated["HealthCheckPath"]) == ("vpc-3ac0fb5f", "/")
    assert not {"HealthCheckProtocol", "ProtocolVersion", "TargetGroupName"} & set(found.stated)
    assert found.unfit == ["its ProtocolVersion is HTTP2, the template needs HTTP1 and it cannot be changed"]


def test_a_cluster_is_known_by_the_stacks_tags_and_by_whom_it_belongs_to(documented: DocumentedAws) -> None:
    arn = "arn:aws:ecs:eu-central-1:111122223333:cluster/agents"
    tags = [
        {"Key": "aws:cloudformation:stack-name", "Value": "claude-cloud-agent"},
        {"Key": "aws:cloudformation:logical-id", "Value": "Cluster"},
    ]
    mapping = {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": tags}]}
    documented.answers("resourcegroupstaggingapi", "get_resources", mapping)
    documented.answers("elbv2", "describe_load_balancers", {"LoadBalancers": []})
    documented.answers("dynamodb", "list_tables", {"TableNames": []})
    documented.answers("ecs", "list_clusters", {"clusterArns": [arn, "arn:aws:ecs:eu-central-1:1:cluster/other"]})
    cluster = {
        "clusterName": "agents",
        "status": "ACTIVE",
        "settings": [{"name": "containerInsights", "value": "enhanced"}],
    }
    documented.answers("ecs", "describe_clusters", {"clusters": [cluster]}, clusters=["agents"], include=["SETTINGS"])
    no_stack = "Stack for agents doesn't exist"
    documented.refuses(
        "cloudformation", "describe_stack_resources", "ValidationError", no_stack, PhysicalResourceId="agents"
    )

    (found,) = find(Aws(documented.client), SEARCH)

    assert (found.identifier, found.why, found.owner) == ("agents", "its tags", None)
    assert found.stated == {"ClusterSettings": [{"Name": "containerInsights", "Value": "enhanced"}]}


def test_what_may_not_be_read_is_no_empty_account(documented: DocumentedAws) -> None:
    documented.refuses("resourcegroupstaggingapi", "get_resources", "AccessDeniedException", "no")
    with pytest.raises(DataUnavailableError, match="not allowed: tag:GetResources"):
        find(Aws(documented.client), SEARCH)


def test_the_record_of_the_sessions_is_found_in_the_public_zone_that_has_it(documented: DocumentedAws) -> None:
    private = {"Id": "/hostedzone/ZP", "Name": "example.com.", "CallerReference": "1", "Config": {"PrivateZone": True}}
    others = {"Id": "/hostedzone/ZO", "Name": "example.org.", "CallerReference": "2"}
    public = {"Id": "/hostedzone/Z1", "Name": "example.com.", "CallerReference": "3"}
    zones = {"HostedZones": [private, others, public], "Marker": "", "IsTruncated": False, "MaxItems": "100"}
    documented.answers("route53", "list_hosted_zones", zones)
    alias = {"HostedZoneId": "Z215", "DNSName": "dualstack.shared.example.", "EvaluateTargetHealth": False}
    records = [
        {"Name": "example.com.", "Type": "NS", "ResourceRecords": [{"Value": "ns"}]},
        {"Name": "\\052.uat.example.com.", "Type": "A", "AliasTarget": alias},
    ]
    listed = {"ResourceRecordSets": records, "IsTruncated": False, "MaxItems": "100"}
    documented.answers("route53", "list_resource_record_sets", listed, HostedZoneId="Z1")
    assert Record("Z1", ["dualstack.shared.example."]) == record(Aws(documented.client), SEARCH)


@pytest.mark.parametrize("index", [[], ["UAT.example.com"]])
def test_a_load_balancer_is_said_in_the_templates_parameters(documented: DocumentedAws, index: list[str]) -> None:
    listeners = [{"ListenerArn": LISTENER, "LoadBalancerArn": BALANCER}]
    documented.answers("elbv2", "describe_listeners", {"Listeners": listeners}, ListenerArns=[LISTENER])
    balancer = {
        "LoadBalancerArn": BALANCER,
        "DNSName": "shared-424835706.eu-central-1.elb.amazonaws.com",
        "CanonicalHostedZoneId": "Z215JYRZR1TBD5",
        "SecurityGroups": ["sg-5943793c", "sg-11112222"],
    }
    documented.answers("elbv2", "describe_load_balancers", {"LoadBalancers": [balancer]}, LoadBalancerArns=[BALANCER])
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.uat.example.com", *index]}}]
    rule = {"ListenerArn": LISTENER, "Priority": 10, "Conditions": conditions}
    said = load_balancers.parameters(Aws(documented.client), SEARCH, rule)
    assert said.pop("IndexAtUatDomain", "false") == ("true" if index else "false")
    assert said == {
        "LoadBalancer": "existing",
        "ListenerArn": LISTENER,
        "ListenerRulePriority": "10",
        "LoadBalancerSecurityGroupId": "sg-5943793c",
        "LoadBalancerDnsName": "shared-424835706.eu-central-1.elb.amazonaws.com",
        "LoadBalancerHostedZoneId": "Z215JYRZR1TBD5",
    }
