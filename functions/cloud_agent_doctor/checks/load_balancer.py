"""Is the load balancer there, and does it take visitors?

Looks at the stack's own load balancer, or at the one whose listener was given to the stack: it must exist, be active,
be an application load balancer in the stack's VPC, and, if it is the stack's own, face the internet. CloudFormation
goes on saying CREATE_COMPLETE of one that was deleted by hand. Its attributes are left to stack-drift.

Without it no session URL answers. Either the template's own is brought back, or the stack is told to use another by
LoadBalancer=existing. The checks that follow judge the load balancer which the DNS record leads to, if there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.load_balancer.load_balancer_in_use import (
    ACTIONS,
    LoadBalancer,
    intended,
    intended_arn,
    load_balancer_in_use,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

# What goes with it, or stands on it: of all of them the one finding speaks.
_OWN = ("ApplicationLoadBalancer", "HttpListener", "HttpsListener", "UatListenerRule")


def examine(examination: Examination) -> Iterator[Finding]:
    """Find one that is gone, or takes no visitors."""
    load_balancer = intended(examination)
    if load_balancer is None:
        yield _gone(examination)
    else:
        yield from _amiss(examination, load_balancer)


def _gone(examination: Examination) -> Finding:
    stack, arn = examination.stack, intended_arn(examination.stack)
    instead = load_balancer_in_use(examination)
    whose = "the stack's own" if stack.owns_load_balancer else f"that of the listener {stack.parameters['ListenerArn']}"
    record = f"The DNS record leads to {instead.name} ({instead.arn})." if instead else "Nothing stands in its place."
    adopt = "by LoadBalancer=existing, taken over with `cloud-agent adopt`"
    return Finding(
        resource=arn or "ApplicationLoadBalancer",
        problem=f"The load balancer {arn}, {whose}, does not exist. {record}",
        meaning="No session URL is answered by this stack.",
        mend=f"To have it again: {revert(stack)} To use {instead.name if instead else 'another'}: deploy {adopt}."
        if stack.owns_load_balancer
        else "Deploy with the ListenerArn and the load balancer parameters of one that exists, or with "
        "LoadBalancer=own.",
        confirm=f"aws elbv2 describe-load-balancers --load-balancer-arns {arn}",
        logical_ids=_OWN if stack.owns_load_balancer else ("UatListenerRule",),
    )


def _amiss(examination: Examination, load_balancer: LoadBalancer) -> Iterator[Finding]:
    stack = examination.stack
    vpc = stack.parameters["VpcId"]
    amiss = []
    if load_balancer.state != "active":
        amiss.append(f"is in state {load_balancer.state}, not active")
    if load_balancer.type != "application":
        amiss.append(f"is of type {load_balancer.type}, not application")
    if load_balancer.vpc != vpc:
        amiss.append(f"is in {load_balancer.vpc}, not in {vpc} where the proxy is")
    if stack.owns_load_balancer and load_balancer.scheme != "internet-facing":
        amiss.append(f"is {load_balancer.scheme}, not internet-facing")
    if amiss:
        yield Finding(
            resource=load_balancer.arn,
            problem=f"The load balancer {load_balancer.name} {', and '.join(amiss)}.",
            meaning="Visitors do not reach the proxy through it, or not from everywhere.",
            mend=revert(stack)
            if stack.owns_load_balancer
            else "Mend it in the template that owns it, or deploy with the listener of one that fits.",
            confirm=f"aws elbv2 describe-load-balancers --load-balancer-arns {load_balancer.arn}",
            logical_ids=("ApplicationLoadBalancer",) if stack.owns_load_balancer else (),
        )


CHECK = Check(
    name="load-balancer",
    question="Is the load balancer there, and does it take visitors?",
    examine=examine,
    actions=ACTIONS,
)
