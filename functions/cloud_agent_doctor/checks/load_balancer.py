"""Does the load balancer exist, and can visitors use it?

Checks the stack's own load balancer, or the one whose listener was given to the stack: it must exist, be active, be
an application load balancer in the stack's VPC, and, if it's the stack's own, be internet-facing. CloudFormation
keeps saying CREATE_COMPLETE about one that was deleted manually. Its attributes are left to stack-drift.

Without it no session URL responds. The fix is to restore the template's own, or to use another with
LoadBalancer=existing. The checks that follow judge the load balancer that the DNS record points to, if there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.load_balancer.in_use import (
    ACTIONS,
    LoadBalancer,
    intended,
    intended_arn,
    load_balancer_in_use,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

# What was deleted with it, or depends on it: this one finding covers them all.
_OWN = ("ApplicationLoadBalancer", "HttpListener", "HttpsListener", "UatListenerRule")


def run(context: CheckContext) -> Iterator[Finding]:
    """Find one that's gone, or that visitors can't use."""
    load_balancer = intended(context)
    if load_balancer is None:
        yield _gone(context)
    else:
        yield from _amiss(context, load_balancer)


def _gone(context: CheckContext) -> Finding:
    stack, arn = context.stack, intended_arn(context.stack)
    instead = load_balancer_in_use(context)
    whose = "the stack's own" if stack.owns_load_balancer else f"that of the listener {stack.parameters['ListenerArn']}"
    record = f"The DNS record points to {instead.name} ({instead.arn})." if instead else "Nothing has replaced it."
    adopt = "with LoadBalancer=existing, and import it with `cloud-agent adopt`"
    return Finding(
        resource=arn or "ApplicationLoadBalancer",
        problem=f"The load balancer {arn}, {whose}, doesn't exist. {record}",
        impact="Session URLs don't reach this stack.",
        remediation=f"To restore it: {revert_drift(stack)} To use {instead.name if instead else 'another'}: deploy "
        f"{adopt}."
        if stack.owns_load_balancer
        else "Deploy with the ListenerArn and load balancer parameters of one that exists, or with LoadBalancer=own.",
        confirm=f"aws elbv2 describe-load-balancers --load-balancer-arns {arn}",
        logical_ids=_OWN if stack.owns_load_balancer else ("UatListenerRule",),
    )


def _amiss(context: CheckContext, load_balancer: LoadBalancer) -> Iterator[Finding]:
    stack = context.stack
    vpc = stack.parameters["VpcId"]
    amiss = []
    if load_balancer.state != "active":
        amiss.append(f"is in state {load_balancer.state}, not active")
    if load_balancer.type != "application":
        amiss.append(f"is of type {load_balancer.type}, not application")
    if load_balancer.vpc != vpc:
        amiss.append(f"is in {load_balancer.vpc}, not in the proxy's {vpc}")
    if stack.owns_load_balancer and load_balancer.scheme != "internet-facing":
        amiss.append(f"is {load_balancer.scheme}, not internet-facing")
    if amiss:
        yield Finding(
            resource=load_balancer.arn,
            problem=f"The load balancer {load_balancer.name} {', and '.join(amiss)}.",
            impact="Visitors can't reach the proxy through it, or not from everywhere.",
            remediation=revert_drift(stack)
            if stack.owns_load_balancer
            else "Fix it in the template that owns it, or deploy with the listener of one that fits.",
            confirm=f"aws elbv2 describe-load-balancers --load-balancer-arns {load_balancer.arn}",
            logical_ids=("ApplicationLoadBalancer",) if stack.owns_load_balancer else (),
        )


CHECK = Check(
    name="load-balancer",
    question="Does the load balancer exist, and can visitors use it?",
    run=run,
    actions=ACTIONS,
)
