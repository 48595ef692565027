"""What a listener does with the requests for a host: its rules are evaluated in order of priority."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.load_balancer.host_patterns import includes, overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Document = dict[str, Any]

_EVERYTHING = "*"
_EVERY_PATH = "/*"
_EVERY_SOURCE = {"0.0.0.0/0"}


class Reach(IntEnum):
    """How many of the requests for a host a rule matches."""

    NONE = 0
    SOME = 1
    ALL = 2


@dataclass(frozen=True)
class Rule:
    """One rule of a listener. The listener's default action is its last rule."""

    arn: str
    priority: int | None
    """None: the default, which is evaluated last."""
    hosts: tuple[str, ...] = ()
    """Patterns in lower case; none: any host."""
    host_expressions: tuple[str, ...] = ()
    """Regular expressions of which the host must match one; none: no such condition."""
    narrowed_by: tuple[str, ...] = ()
    """Further conditions, as text, that exclude some requests."""
    weights: Mapping[str, int] = field(default_factory=dict)
    """Target groups it forwards to, by ARN; a weight of 0 gets nothing."""
    action: str = ""
    """What it does, as text."""

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        return "the default rule" if self.priority is None else f"the rule of priority {self.priority}"

    def forwards_to(self, target_group: str) -> bool:
        """Whether it forwards any request to the target group."""
        return self.weights.get(target_group, 0) > 0

    def forwards_only_to(self, target_group: str) -> bool:
        """Whether it forwards every request it matches to the target group."""
        return {arn for arn, weight in self.weights.items() if weight > 0} == {target_group}

    def reach(self, host: str) -> Reach:
        """Return how many of the requests for the names under a wildcard host it matches."""
        by_host = max((_reach(pattern, host) for pattern in self.hosts or (_EVERYTHING,)), default=Reach.NONE)
        if self.host_expressions and not _may_match(self.host_expressions, host):
            return Reach.NONE
        narrowed = self.narrowed_by or self.host_expressions
        return min(by_host, Reach.SOME) if narrowed else by_host


@dataclass(frozen=True)
class Routing:
    """Where the requests for a host go."""

    matched_by: Rule
    """The first rule that matches every remaining request."""
    partial: tuple[Rule, ...]
    """Rules before it that match some of the requests and send them elsewhere."""
    later: tuple[Rule, ...]
    """Rules that match the host and forward to the target group, but are never evaluated."""


def route(rules: Iterable[Rule], host: str, target_group: str) -> Routing:
    """Return where these rules send the requests for a wildcard host, which should go to a target group."""
    ordered = sorted(rules, key=lambda rule: (rule.priority is None, rule.priority or 0))
    first = next(index for index, rule in enumerate(ordered) if rule.reach(host) is Reach.ALL)
    return Routing(
        matched_by=ordered[first],
        partial=tuple(
            rule
            for rule in ordered[:first]
            if rule.reach(host) is Reach.SOME and not rule.forwards_only_to(target_group)
        ),
        later=tuple(
            rule for rule in ordered[first + 1 :] if rule.reach(host) is Reach.ALL and rule.forwards_to(target_group)
        ),
    )


def read_rule(document: Document) -> Rule:
    """Return a rule as DescribeRules describes it."""
    hosts: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    narrowed: list[str] = []
    for condition in document.get("Conditions", ()):
        if condition["Field"] == "host-header":
            config = condition.get("HostHeaderConfig", condition)
            hosts = tuple(value.lower() for value in config.get("Values", ()))
            expressions = tuple(config.get("RegexValues", condition.get("RegexValues", ())))
        elif not _takes_everything(condition):
            narrowed.append(_text(condition))
    priority = document["Priority"]
    actions = document.get("Actions", ())
    return Rule(
        arn=document["RuleArn"],
        priority=None if priority == "default" else int(priority),
        hosts=hosts,
        host_expressions=expressions,
        narrowed_by=tuple(narrowed),
        weights=_weights(actions),
        action=", then ".join(_action(action) for action in actions),
    )


def _reach(pattern: str, host: str) -> Reach:
    if includes(pattern, host):
        return Reach.ALL
    return Reach.SOME if overlaps(pattern, host) else Reach.NONE


def _may_match(expressions: Sequence[str], host: str) -> bool:
    """Match one name under the wildcard, such as a session's: an expression can't be compared with a pattern."""
    sample = host.replace("*", "0123abcd")
    for expression in expressions:
        try:
            if re.search(expression, sample, re.IGNORECASE):
                return True
        except re.error:  # the load balancer's dialect has what Python's has not
            return True
    return False


def _takes_everything(condition: Document) -> bool:
    match condition["Field"]:
        case "path-pattern":
            values = condition.get("PathPatternConfig", condition).get("Values", ())
            return any(includes(value, _EVERY_PATH) for value in values)
        case "source-ip":
            return bool(_EVERY_SOURCE & set(condition.get("SourceIpConfig", {}).get("Values", ())))
        case _:
            return False


def _text(condition: Document) -> str:
    config = next((value for key, value in condition.items() if key.endswith("Config")), condition)
    values = config.get("Values") or config.get("RegexValues") or condition.get("RegexValues") or ()
    shown = (f"{one.get('Key', '')}={one.get('Value', '')}" if isinstance(one, dict) else str(one) for one in values)
    return f"{condition['Field']} {', '.join(shown)}"


def _weights(actions: Iterable[Document]) -> dict[str, int]:
    weights: dict[str, int] = {}
    for action in actions:
        if action["Type"] == "forward":
            groups = action.get("ForwardConfig", {}).get("TargetGroups") or (
                [{"TargetGroupArn": action["TargetGroupArn"]}] if "TargetGroupArn" in action else []
            )
            weights |= {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}
    return weights


def _action(action: Document) -> str:
    match action["Type"]:
        case "forward":
            weights = _weights([action])
            if len(weights) == 1:
                ((arn, weight),) = weights.items()
                return f"forwards to {_name(arn)}" + (" with weight 0" if weight == 0 else "")
            return "forwards to " + " and ".join(f"{_name(arn)} (weight {weight})" for arn, weight in weights.items())
        case "fixed-response":
            return f"returns a fixed {action.get('FixedResponseConfig', {}).get('StatusCode', 'response')}"
        case "redirect":
            return "redirects elsewhere"
        case other:
            return f"does {other}"


def _name(target_group_arn: str) -> str:
    return target_group_arn.split("/")[1] if "/" in target_group_arn else target_group_arn
