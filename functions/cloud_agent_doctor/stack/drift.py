"""What CloudFormation reports as drift, and which of it is a false positive."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.dns import normalize

if TYPE_CHECKING:
    from collections.abc import Callable

    Document = dict[str, Any]

DRIFTED = ("MODIFIED", "DELETED")


@dataclass(frozen=True)
class Difference:
    """One property that differs from the template."""

    path: str
    """Such as `/LoadBalancerAttributes/0/Value`."""
    kind: str
    """ADD, REMOVE or NOT_EQUAL."""
    expected: str
    actual: str

    def __str__(self) -> str:
        """Return it as text."""
        match self.kind:
            case "ADD":
                return f"{self.path} was added: {self.actual}"
            case "REMOVE":
                return f"{self.path} was removed: {self.expected}"
            case _:
                return f"{self.path} is {self.actual}, not {self.expected}"


@dataclass(frozen=True)
class Drift:
    """One resource of the stack that was changed or deleted outside CloudFormation."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    """MODIFIED or DELETED."""
    differences: tuple[Difference, ...] = ()


def read_drift(document: Document) -> Drift | None:
    """Return what DescribeStackResourceDrifts describes, without false positives; None if nothing remains."""
    drift = Drift(
        logical_id=document["LogicalResourceId"],
        physical_id=document.get("PhysicalResourceId", ""),
        type=document["ResourceType"],
        status=document["StackResourceDriftStatus"],
        differences=tuple(
            Difference(one["PropertyPath"], one["DifferenceType"], one["ExpectedValue"], one["ActualValue"])
            for one in document.get("PropertyDifferences", ())
        ),
    )
    if drift.status not in DRIFTED:
        return None
    if drift.status == "DELETED":
        return drift
    real = tuple(one for one in drift.differences if not any(matches(drift, one) for matches in _FALSE_POSITIVES))
    return Drift(drift.logical_id, drift.physical_id, drift.type, drift.status, real) if real else None


def _same_value(_: Drift, difference: Difference) -> bool:
    """Match `"80"` and `80`, `true` and `"true"`, JSON and its text: CloudFormation compares some as text."""
    return difference.kind == "NOT_EQUAL" and _value(difference.expected) == _value(difference.actual)


def _same_name(drift: Drift, difference: Difference) -> bool:
    r"""Match Route 53's own spelling of names: with a dot at the end, `\052` for `*`, `dualstack.` before."""
    return (
        drift.type == "AWS::Route53::RecordSet"
        and difference.path in {"/Name", "/AliasTarget/DNSName"}
        and normalize(difference.expected) == normalize(difference.actual)
    )


def _unchangeable(drift: Drift, difference: Difference) -> bool:
    """Match a revision of a task definition: ECS has no call that changes one, except its tags.

    CloudFormation nevertheless reports StopTimeout or RuntimePlatform as removed from time to time.
    """
    return drift.type == "AWS::ECS::TaskDefinition" and not difference.path.startswith("/Tags")


def _rule_beside_its_group(drift: Drift, difference: Difference) -> bool:
    """Match rules that are resources of their own: they're reported as added to their group.

    Nothing is missed: proxy-ingress, agent-ingress and agent-egress check every rule that these groups admit by.
    """
    return (
        drift.logical_id in {"ProxySecurityGroup", "AgentSecurityGroup", "EgressProxySecurityGroup"}
        and difference.kind == "ADD"
        and re.match(r"/SecurityGroupIngress(/|$)", difference.path) is not None
    )


def _body_is_never_read(drift: Drift, difference: Difference) -> bool:
    """Match an API's body: API Gateway keeps the routes, not the OpenAPI document they came from."""
    return drift.type == "AWS::ApiGatewayV2::Api" and difference.kind == "REMOVE" and difference.path == "/Body"


_FALSE_POSITIVES: tuple[Callable[[Drift, Difference], bool], ...] = (
    _same_value,
    _same_name,
    _unchangeable,
    _rule_beside_its_group,
    _body_is_never_read,
)


def _value(text: str) -> object:
    """Return a value as JSON has it; numbers and booleans as text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (dict, list)) else str(value).lower() if isinstance(value, bool) else str(value)
