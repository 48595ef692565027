"""Does the listener forward requests for the sessions' names to the proxy?

Evaluates the rules of the HTTPS listener of the load balancer in use in order of priority, as the load balancer does.
The first rule that matches every request for `*.uat.<domain>` must forward to the proxy's target group, and to no
other; and no rule before it may send some of those requests (a path, a method, a single name) elsewhere. With
IndexAtUatDomain, the same goes for `uat.<domain>`.

Without such a rule every session URL shows what the default rule forwards to: another system, or an error. The rule
is the stack's (UatListenerRule): a deployment restores it, and ListenerRulePriority puts it before other rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.in_use import (
    ACTIONS,
    LISTENERS_ACTION,
    NONE_IN_USE,
    LoadBalancer,
    https_listener,
    intended_arn,
    load_balancer_in_use,
)
from cloud_agent_doctor.load_balancer.listener_rules import Routing, Rule, read_rule, route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.load_balancer.uat_record import Host

    Document = dict[str, Any]

_LOGICAL_IDS = ("UatListenerRule",)


def run(context: CheckContext) -> Iterator[Finding]:
    """Find that requests for the sessions' names go elsewhere, all or some of them."""
    load_balancer = load_balancer_in_use(context)
    if load_balancer is None:
        raise NotApplicableError(NONE_IN_USE)
    listener = https_listener(context, load_balancer)
    if listener is None:
        raise NotApplicableError("there is no HTTPS listener to have rules (see listener)")
    target_group, rules = context.stack.physical_id("ProxyTargetGroup"), _rules(context, listener)
    reported: set[str] = set()
    for host in uat_record.hosts(context):
        routing = route(rules, host.name, target_group)
        if not routing.matched_by.forwards_only_to(target_group) and routing.matched_by.arn not in reported:
            reported.add(routing.matched_by.arn)  # one rule that takes both hosts is one problem
            yield _elsewhere(context, load_balancer, listener, host, routing)
        for rule in routing.partial:
            yield _partial(listener, host, rule)


def _rules(context: CheckContext, listener: Document) -> list[Rule]:
    """Return the listener's rules; the default one, which comes last, is read from the listener itself."""
    arn = listener["ListenerArn"]
    found = context.aws.describe_all("elbv2", "describe_rules", "Rules", ListenerArn=arn)
    default = {"RuleArn": arn, "Priority": "default", "Actions": listener.get("DefaultActions", ())}
    return [read_rule(one) for one in [*(one for one in found if one["Priority"] != "default"), default]]


def _elsewhere(
    context: CheckContext, load_balancer: LoadBalancer, listener: Document, host: Host, routing: Routing
) -> Finding:
    target_group = context.stack.physical_id("ProxyTargetGroup")
    if routing.matched_by.forwards_to(target_group):
        what = "it sends only some of the requests to the proxy's target group"
    elif routing.later:
        what = f"it comes before {routing.later[0].label}, which would forward them to the proxy's target group"
    else:
        what = f"no rule forwards them to the proxy's target group {target_group}"
    return Finding(
        resource=routing.matched_by.arn,
        problem=f"On {load_balancer.name}, requests for {host.name} match {routing.matched_by.label}, which "
        f"{routing.matched_by.action or 'does nothing'}; {what}.",
        impact=f"Visitors of {host.urls} see another system, or an error.",
        remediation=_remediation(context, load_balancer, listener, routing),
        confirm=_confirm(listener),
        logical_ids=_LOGICAL_IDS,
    )


def _remediation(context: CheckContext, load_balancer: LoadBalancer, listener: Document, routing: Routing) -> str:
    stack = context.stack
    if load_balancer.arn != intended_arn(stack):
        return (
            f"If visitors should use {load_balancer.name}: deploy with LoadBalancer=existing and ListenerArn="
            f"{listener['ListenerArn']}, and import a rule that already exists with `cloud-agent adopt`. Otherwise "
            "fix what load-balancer reports."
        )
    if routing.later:
        return f"Deploy with a ListenerRulePriority smaller than {routing.matched_by.priority}."
    return revert_drift(stack)


def _partial(listener: Document, host: Host, rule: Rule) -> Finding:
    parts = [*([f"the hosts {', '.join(rule.hosts)}"] if rule.hosts else []), *rule.narrowed_by, *rule.host_expressions]
    return Finding(
        resource=rule.arn,
        problem=f"Of the requests for {host.name}, {rule.label} matches those with {' and '.join(parts)} before the "
        f"stack's rule, and {rule.action}.",
        impact=f"Some requests to {host.urls} reach another system, or an error.",
        remediation=f"Deploy with a ListenerRulePriority smaller than {rule.priority}, or exclude {host.name} from "
        "that rule in the template that owns it.",
        confirm=_confirm(listener),
        logical_ids=_LOGICAL_IDS,
    )


def _confirm(listener: Document) -> str:
    return f"aws elbv2 describe-rules --listener-arn {listener['ListenerArn']}"


CHECK = Check(
    name="listener-rule",
    question="Does the listener forward requests for the sessions' names to the proxy?",
    run=run,
    actions=(*ACTIONS, LISTENERS_ACTION, "elasticloadbalancing:DescribeRules"),
)
