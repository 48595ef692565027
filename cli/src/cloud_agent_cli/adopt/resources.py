"""What can be adopted: the resources of template.yaml that hold something, or that others already point at.

Types and identifiers: "Resource type support" in CloudFormation's user guide, and the primary identifiers in the types'
schemas. A DNS record is none of them: AWS::Route53::RecordSet cannot be imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """One resource of template.yaml that an import can bring into the stack.

    `stated` are the properties that template.yaml gives it. An import states the same ones, with the values that the
    resource has: so the next deployment sees what is different and changes it. `fixed` are values of properties that
    CloudFormation cannot change: a resource that has others would be replaced, so it is not adopted.
    """

    logical_id: str
    type: str
    identifier: str
    stated: tuple[str, ...]
    fixed: dict[str, Any] = field(default_factory=dict)


SESSIONS_INDEX = "SessionsByStart"
SESSIONS_TABLE = Kind(
    "SessionsTable",
    "AWS::DynamoDB::Table",
    "TableName",
    (
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "PointInTimeRecoverySpecification",
        "ProvisionedThroughput",  # of a table that is not paid by request; the template's is
        "SSESpecification",
        "StreamSpecification",
        "TimeToLiveSpecification",
    ),
    {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]},
)
CLUSTER = Kind("Cluster", "AWS::ECS::Cluster", "ClusterName", ("ClusterSettings",))
TARGET_GROUP = Kind(
    "ProxyTargetGroup",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "TargetGroupArn",
    (
        "HealthCheckIntervalSeconds",
        "HealthCheckPath",
        "HealthCheckPort",
        "HealthCheckTimeoutSeconds",
        "HealthyThresholdCount",
        "Matcher",
        "Port",
        "Protocol",
        "TargetGroupAttributes",
        "TargetType",
        "UnhealthyThresholdCount",
        "VpcId",
    ),
    {"Port": 8080, "Protocol": "HTTP", "ProtocolVersion": "HTTP1", "TargetType": "ip"},
)
LISTENER_RULE = Kind(
    "UatListenerRule",
    "AWS::ElasticLoadBalancingV2::ListenerRule",
    "RuleArn",
    ("Actions", "Conditions", "ListenerArn", "Priority"),
)
KINDS = {kind.logical_id: kind for kind in (SESSIONS_TABLE, CLUSTER, TARGET_GROUP, LISTENER_RULE)}


@dataclass(frozen=True)
class Found:
    """A resource of the account that may be one of the stack's.

    `why` says what makes it so, `properties` is what it is, in CloudFormation's words, and `owner` the stack that it
    belongs to.
    """

    kind: Kind
    identifier: str
    why: str
    properties: dict[str, Any]
    owner: str | None = None

    @property
    def stated(self) -> dict[str, Any]:
        """What the import's template says of it."""
        return {name: self.properties[name] for name in self.kind.stated if name in self.properties}

    @property
    def unfit(self) -> list[str]:
        """What makes CloudFormation replace it at the next deployment, one sentence each."""
        return [
            f"its {name} is {self.properties.get(name)}, the template needs {needed} and it cannot be changed"
            for name, needed in self.kind.fixed.items()
            if self.properties.get(name) != needed
        ]
