"""What CloudFormation reports as drift, and which of it is none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.stack.names import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    Document = dict[str, Any]

DRIFTED = ("MODIFIED", "DELETED")


@dataclass(frozen=True)
class Difference:
    """One property that is not as the template has it."""

    path: str
    """Such as `/LoadBalancerAttributes/0/Value`."""
    kind: str
    """ADD, REMOVE or NOT_EQUAL."""
    expected: str
    actual: str

    def __str__(self) -> str:
        """As people say it."""
        match self.kind:
            case "ADD":
                return f"{self.path} was added: {self.actual}"
            case "REMOVE":
                return f"{self.path} was removed: {self.expected}"
            case _:
                return f"{self.path} is {self.actual}, not {self.expected}"


@dataclass(frozen=True)
class Drift:
    """One resource of the stack that was changed or deleted past CloudFormation."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    """MODIFIED or DELETED."""
    differences: tuple[Difference, ...] = ()


def read_drift(document: Document) -> Drift | None:
    """Return what DescribeStackResourceDrifts describes, without what is no drift; None when nothing is left of it."""
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
    real = tuple(one for one in drift.differences if not any(is_none(drift, one) for is_none in _NO_DRIFT))
    return Drift(drift.logical_id, drift.physical_id, drift.type, drift.status, real) if real else None


def _same_value(_: Drift, difference: Difference) -> bool:
    """`"80"` and `80`, `true` and `"true"`, a JSON document and its text: CloudFormation compares some as text."""
    return difference.kind == "NOT_EQUAL" and _value(difference.expected) == _value(difference.actual)


def _same_name(drift: Drift, difference: Difference) -> bool:
    r"""Route 53 gives names back in its own spelling: with a dot at the end, `\052` for `*`, `dualstack.` before."""
    return (
        drift.type == "AWS::Route53::RecordSet"
        and difference.path in {"/Name", "/AliasTarget/DNSName"}
        and plain(difference.expected) == plain(difference.actual)
    )


def _unchangeable(drift: Drift, difference: Difference) -> bool:
    """Return whether it is no drift: ECS has no call that changes a revision of a task definition, but its tags.

    CloudFormation nevertheless reports StopTimeout or RuntimePlatform as removed from time to time.
    """
    return drift.type == "AWS::ECS::TaskDefinition" and not difference.path.startswith("/Tags")


def _rule_beside_its_group(drift: Drift, difference: Difference) -> bool:
    """Rules that stand as resources beside a group are reported as added to it.

    Nothing is lost with them: proxy-ingress and agent-ingress judge every rule of these two groups.
    """
    return (
        drift.logical_id in {"ProxySecurityGroup", "AgentSecurityGroup"}
        and difference.kind == "ADD"
        and re.match(r"/SecurityGroupIngress(/|$)", difference.path) is not None
    )


def _body_is_never_read(drift: Drift, difference: Difference) -> bool:
    """Return whether it is no drift: API Gateway keeps the routes, not the OpenAPI document they came from."""
    return drift.type == "AWS::ApiGatewayV2::Api" and difference.kind == "REMOVE" and difference.path == "/Body"


_NO_DRIFT: tuple[Callable[[Drift, Difference], bool], ...] = (
    _same_value,
    _same_name,
    _unchangeable,
    _rule_beside_its_group,
    _body_is_never_read,
)


def _value(text: str) -> object:
    """Return a value as JSON has it; numbers and truth values as their text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (dict, list)) else str(value).lower() if isinstance(value, bool) else str(value)
