"""IAM policies split into single permissions, so that two can be compared; knows no AWS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Document = Mapping[str, Any]

_SAMPLE = "x"  # stands for an asterisk in a condition's value, in a made-up request that meets it


@dataclass(frozen=True, order=True)
class Permission:
    """One action on one resource under one condition, allowed or denied; in a trust policy, of one principal."""

    effect: str
    action: str
    resource: str
    condition: str
    """As JSON, in one order; empty if there's none."""

    @property
    def text(self) -> str:
        """In one clause."""
        denied = "" if self.effect == "Allow" else f"{self.effect.lower()} "
        on = f" on {self.resource}" if self.resource else ""
        return f"{denied}{self.action}{on}{f' if {self.condition}' if self.condition else ''}"

    @property
    def context(self) -> dict[str, list[str]]:
        """Values of the condition's keys that meet it, by key: one each, but all of a key with multiple values."""
        operators: dict[str, dict[str, list[str]]] = json.loads(self.condition) if self.condition else {}
        return {
            key: [value.replace("*", _SAMPLE) for value in (values if operator.startswith("For") else values[:1])]
            for operator, of_operator in operators.items()
            for key, values in of_operator.items()
        }


def permissions(statements: Iterable[Document]) -> Iterator[Permission]:
    """Yield every single permission the statements allow or deny.

    One written with NotAction, NotResource or NotPrincipal keeps that keyword: it equals only another of the same form.
    """
    for statement in statements:
        condition = json.dumps(_conditions(statement["Condition"]), sort_keys=True) if "Condition" in statement else ""
        for action in _named(statement, "Action"):
            for resource in [*_named(statement, "Resource"), *_principals(statement)] or [""]:
                yield Permission(statement["Effect"], action, resource, condition)


def statements(document: Document) -> list[Any]:
    """Return a policy's statements; IAM accepts a single one without a list around it."""
    return as_list(document.get("Statement", []))


def as_list(value: Any) -> list[Any]:  # noqa: ANN401 - one or many, of whatever type
    """Return a list: IAM accepts a single value in place of a list of one."""
    return value if isinstance(value, list) else [value]


def _named(statement: Document, member: str) -> list[str]:
    plain = [str(one) for one in as_list(statement.get(member, []))]
    return plain + [f"anything but {one}" for one in as_list(statement.get(f"Not{member}", []))]


def _principals(statement: Document) -> list[str]:
    found = []
    for member, prefix in (("Principal", ""), ("NotPrincipal", "anybody but ")):
        principal = statement.get(member, {})
        of_kind = principal if isinstance(principal, dict) else {"AWS": principal}
        found += [f"{prefix}{kind} {one}" for kind, named in of_kind.items() for one in as_list(named)]
    return found


def _conditions(condition: Document) -> dict[str, dict[str, list[str]]]:
    return {
        operator: {key: sorted(_text(one) for one in as_list(values)) for key, values in keys.items()}
        for operator, keys in condition.items()
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
