"""Does the listener lead the sessions' names to the proxy?

Looks at the rules of the HTTPS listener of the load balancer in use, in the order of their priority, as the load
balancer does. The first rule that takes every request for `*.uat.<domain>` must forward to the proxy's target group,
and to no other; and no rule before it may take a part of those requests (a path, a method, a single name) elsewhere.

Without such a rule every session URL shows what the default rule leads to: another system, or an error. The rule is
the stack's (UatListenerRule): it is brought back by a deployment, or put before others by ListenerRulePriority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.engine.check import Check, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.listener_rules import Course, Rule, course, read_rule
from cloud_agent_doctor.load_balancer.load_balancer_in_use import (
    ACTIONS,
    LISTENERS_ACTION,
    NONE_IN_USE,
    LoadBalancer,
    https_listener,
    intended_arn,
    load_balancer_in_use,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

_LOGICAL_IDS = ("UatListenerRule",)


def examine(examination: Examination) -> Iterator[Finding]:
    """Find that the requests for the sessions' names go elsewhere, all or some of them."""
    load_balancer = load_balancer_in_use(examination)
    if load_balancer is None:
        raise NotApplicableError(NONE_IN_USE)
    listener = https_listener(examination, load_balancer)
    if listener is None:
        raise NotApplicableError("there is no HTTPS listener that could have one (see listener)")
    host = uat_record.name(examination)
    target_group = examination.stack.physical_id("ProxyTargetGroup")
    way = course(_rules(examination, listener), host, target_group)
    if not way.taken_by.leads_only_to(target_group):
        yield _elsewhere(examination, load_balancer, listener, way)
    for rule in way.in_part:
        yield _in_part(examination, listener, rule)


def _rules(examination: Examination, listener: Document) -> list[Rule]:
    """Return the listener's rules; the default one, which visitors meet last, is read from the listener itself."""
    arn = listener["ListenerArn"]
    found = examination.aws.ask_all("elbv2", "describe_rules", "Rules", ListenerArn=arn)
    default = {"RuleArn": arn, "Priority": "default", "Actions": listener.get("DefaultActions", ())}
    return [read_rule(one) for one in [*(one for one in found if one["Priority"] != "default"), default]]


def _elsewhere(examination: Examination, load_balancer: LoadBalancer, listener: Document, way: Course) -> Finding:
    host, target_group = uat_record.name(examination), examination.stack.physical_id("ProxyTargetGroup")
    if way.taken_by.leads_to(target_group):
        what = "sends only some of the requests to the proxy's target group"
    elif way.later:
        what = f"comes before {way.later[0].label}, which would lead them to the proxy's target group"
    else:
        what = f"takes them, and no rule leads them to the proxy's target group {target_group}"
    return Finding(
        resource=way.taken_by.arn,
        problem=f"On {load_balancer.name}, requests for {host} are taken by {way.taken_by.label}, which "
        f"{way.taken_by.action or 'does nothing'}: it {what}.",
        meaning="Session URLs show another system, or an error.",
        mend=_mend(examination, load_balancer, listener, way),
        confirm=_confirm(listener),
        logical_ids=_LOGICAL_IDS,
    )


def _mend(examination: Examination, load_balancer: LoadBalancer, listener: Document, way: Course) -> str:
    stack = examination.stack
    if load_balancer.arn != intended_arn(stack):
        return (
            f"If visitors are to come by {load_balancer.name}: deploy with LoadBalancer=existing and ListenerArn="
            f"{listener['ListenerArn']}, and take a rule that is already there over with `cloud-agent adopt`. Else "
            "mend what load-balancer says."
        )
    if way.later:
        return f"Deploy with a ListenerRulePriority smaller than {way.taken_by.priority}."
    return revert(stack)


def _in_part(examination: Examination, listener: Document, rule: Rule) -> Finding:
    host = uat_record.name(examination)
    parts = [*([f"the hosts {', '.join(rule.hosts)}"] if rule.hosts else []), *rule.narrowed_by, *rule.host_expressions]
    return Finding(
        resource=rule.arn,
        problem=f"Of the requests for {host}, {rule.label} takes those with {' and '.join(parts)} before the stack's "
        f"rule, and {rule.action}.",
        meaning="Parts of the session URLs show another system, or an error.",
        mend=f"Deploy with a ListenerRulePriority smaller than {rule.priority}, or have that rule leave out {host} in "
        "the template that owns it.",
        confirm=_confirm(listener),
        logical_ids=_LOGICAL_IDS,
    )


def _confirm(listener: Document) -> str:
    return f"aws elbv2 describe-rules --listener-arn {listener['ListenerArn']}"


CHECK = Check(
    name="listener-rule",
    question="Does the listener lead the sessions' names to the proxy?",
    examine=examine,
    actions=(*ACTIONS, LISTENERS_ACTION, "elasticloadbalancing:DescribeRules"),
)
