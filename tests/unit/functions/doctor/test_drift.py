from __future__ import annotations

from typing import Any

import pytest

from cloud_agent_doctor.stack.drift import read_drift


def document(logical_id: str, type_: str, *differences: tuple[str, str, str, str], status: str = "MODIFIED") -> Any:  # noqa: ANN401
    return {
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": "physical",
        "ResourceType": type_,
        "StackResourceDriftStatus": status,
        "PropertyDifferences": [
            {"PropertyPath": path, "DifferenceType": kind, "ExpectedValue": expected, "ActualValue": actual}
            for path, kind, expected, actual in differences
        ],
    }


GROUP, SERVICE, TASK = "AWS::EC2::SecurityGroup", "AWS::ECS::Service", "AWS::ECS::TaskDefinition"
LISTENER, RECORD, API = "AWS::ElasticLoadBalancingV2::Listener", "AWS::Route53::RecordSet", "AWS::ApiGatewayV2::Api"


@pytest.mark.parametrize(
    "noise",
    [
        document("HttpListener", LISTENER, ("/Port", "NOT_EQUAL", "80", '"80"')),
        document("Cluster", "AWS::ECS::Cluster", ("/X", "NOT_EQUAL", '"true"', "true")),
        document("UatRecord", RECORD, ("/Name", "NOT_EQUAL", "*.uat.example.com", "\\052.uat.example.com.")),
        document("UatRecord", RECORD, ("/AliasTarget/DNSName", "NOT_EQUAL", "LB.aws.com", "dualstack.lb.aws.com.")),
        document("ProxyTaskDefinition", TASK, ("/ContainerDefinitions/0/StopTimeout", "REMOVE", "60", "null")),
        document("ProxySecurityGroup", GROUP, ("/SecurityGroupIngress/0", "ADD", "null", '{"FromPort":8080}')),
        document("EgressProxySecurityGroup", GROUP, ("/SecurityGroupIngress/0", "ADD", "null", '{"FromPort":3128}')),
        document("HttpApi", API, ("/Body", "REMOVE", "{}", "null")),
        document("HttpApi", API, status="IN_SYNC"),
        document("HttpApi", API, status="NOT_CHECKED"),
        document("HttpApi", API, status="UNSUPPORTED"),
    ],
)
def test_what_is_no_drift_is_left_out(noise: dict[str, Any]) -> None:
    assert read_drift(noise) is None


@pytest.mark.parametrize(
    "real",
    [
        document("HttpListener", LISTENER, ("/Port", "NOT_EQUAL", "80", "81")),
        document("UatRecord", RECORD, ("/AliasTarget/DNSName", "NOT_EQUAL", "lb.aws.com", "shop.aws.com")),
        document("HttpsListener", LISTENER, ("/AliasTarget/DNSName", "NOT_EQUAL", "lb.aws.com", "LB.aws.com")),
        document("ProxyTaskDefinition", TASK, ("/Tags/0", "ADD", "null", "x")),
        document("ProxyTaskDefinition", TASK, status="DELETED"),
        document("ProxySecurityGroup", GROUP, ("/SecurityGroupEgress/0", "ADD", "null", "{}")),
        document("ProxySecurityGroup", GROUP, ("/SecurityGroupIngress/0", "REMOVE", "{}", "null")),
        document("LoadBalancerSecurityGroup", GROUP, ("/SecurityGroupIngress/2", "ADD", "null", "{}")),
        document("ProxyService", SERVICE, ("/DesiredCount", "NOT_EQUAL", "2", "0")),
        document("HttpApi", API, ("/Description", "REMOVE", "x", "null")),
        document("HttpApi", API, ("/Body", "NOT_EQUAL", "{}", '{"paths":{}}')),
    ],
)
def test_what_was_changed_or_deleted_is_drift(real: dict[str, Any]) -> None:
    drift = read_drift(real)
    assert drift is not None
    assert len(real["PropertyDifferences"]) == len(drift.differences)


def test_noise_beside_drift_is_left_out_alone() -> None:
    drift = read_drift(
        document("HttpApi", API, ("/Body", "REMOVE", "{}", "null"), ("/Description", "NOT_EQUAL", "a", "b"))
    )
    assert drift is not None
    assert [str(one) for one in drift.differences] == ["/Description is b, not a"]
