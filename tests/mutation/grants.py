"""What each role of the template may do, one permission at a time: one action on one resource."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Document = dict[str, Any]

ASSUME = "sts:AssumeRole"
MANAGED = "managed policy"
_FIELD = r"(?:\$\{[^}]+\}|[^:$])*"
_ARN = re.compile(rf"^arn:{_FIELD}:{_FIELD}:{_FIELD}:{_FIELD}:")


@dataclass(frozen=True)
class Place:
    """Where a permission stands: a role's inline policy, the statement in it and the resource in that, from 0.

    Exact for a template whose conditions are decided; else one that each branch of a condition may move.
    """

    policy: str
    statement: int
    resource: int


@dataclass(frozen=True)
class Grant:
    """One permission.

    A managed policy is a permission whose action is "managed policy" and whose resource is the policy's name; who may
    assume the role is one whose action is sts:AssumeRole and whose resource is that service. Both have no place.
    """

    role: str
    action: str
    resource: str
    condition: str = ""
    place: Place | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other one."""
        return self.role, self.action, self.resource


def grants(resources: Document) -> list[Grant]:
    """Every permission of every role among these resources of an expanded template, both ways of each condition."""
    return [grant for name, each in resources.items() if each["Type"] == "AWS::IAM::Role" for grant in _of(name, each)]


def branches(value: object) -> Iterator[Any]:
    """Each member of a list, or the value itself, on both ways of every Fn::If."""
    if isinstance(value, list):
        for each in value:
            yield from branches(each)
    elif isinstance(value, dict) and set(value) == {"Fn::If"}:
        for way in value["Fn::If"][1:]:
            yield from branches(way)
    elif value != {"Ref": "AWS::NoValue"}:
        yield value


def short(resource: object) -> str:
    """A resource as a person would call it: its logical id, or its ARN less what every ARN of a stack begins with."""
    match resource:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::Sub": str(text)}:
            alone = re.fullmatch(r"\$\{(\w+)(\.\w+)?\}", text)
            return alone[1] if alone else _ARN.sub("", text)
        case str(text):
            return text
    raise ValueError(f"{resource} is not a resource that is understood here")


def _of(role: str, resource: Document) -> Iterator[Grant]:
    properties = resource["Properties"]
    for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
        for service in branches(statement["Principal"]["Service"]):
            yield Grant(role, ASSUME, service)
    for arn in branches(properties.get("ManagedPolicyArns", [])):
        yield Grant(role, MANAGED, short(arn).rpartition("/")[2])
    for policy in branches(properties.get("Policies", [])):
        for number, statement in enumerate(branches(policy["PolicyDocument"]["Statement"])):
            if statement["Effect"] != "Allow":
                raise ValueError(f"{role}: a statement that denies is not looked for here: {statement}")
            for index, target in enumerate(branches(statement["Resource"])):
                place = Place(policy["PolicyName"], number, index)
                condition = str(statement.get("Condition", ""))
                for action in branches(statement["Action"]):
                    yield Grant(role, action, short(target), condition, place)
