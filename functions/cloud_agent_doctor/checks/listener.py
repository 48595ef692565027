"""Does the load balancer listen for HTTPS?

Checks the listeners of the load balancer in use. One must be for HTTPS on port 443 (the very one that was given to
the stack, if one was), and the stack's own load balancer must redirect visitors from port 80 to it.

Without it browsers can't connect at all. A deployment restores the stack's own listeners; to use another listener,
set the parameter ListenerArn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.load_balancer.in_use import (
    ACTIONS,
    LISTENERS_ACTION,
    NONE_IN_USE,
    LoadBalancer,
    https_listener,
    intended_arn,
    listeners,
    load_balancer_in_use,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]


def run(context: CheckContext) -> Iterator[Finding]:
    """Find that the HTTPS listener, or the one that redirects to it, is missing or the wrong one."""
    stack = context.stack
    load_balancer = load_balancer_in_use(context)
    if load_balancer is None:
        raise NotApplicableError(NONE_IN_USE)
    is_intended = load_balancer.arn == intended_arn(stack)
    if is_intended and not stack.owns_load_balancer:
        yield from _given(context, load_balancer)
        return
    if https_listener(context, load_balancer) is None:
        yield _finding(
            context,
            load_balancer,
            f"The load balancer {load_balancer.name} has no HTTPS listener on port 443",
            "Browsers can't connect to session URLs.",
            ("HttpsListener", "UatListenerRule") if is_intended else (),
        )
    if is_intended and not any(_redirects(one) for one in listeners(context, load_balancer)):
        yield _finding(
            context,
            load_balancer,
            f"The load balancer {load_balancer.name} doesn't redirect from HTTP on port 80 to HTTPS",
            "Visitors who type a session's name without https:// get no response.",
            ("HttpListener",),
        )


def _given(context: CheckContext, load_balancer: LoadBalancer) -> Iterator[Finding]:
    arn = context.stack.parameters["ListenerArn"]
    listener = next((one for one in listeners(context, load_balancer) if one["ListenerArn"] == arn), None)
    if listener is None:
        problem = f"The listener {arn} (parameter ListenerArn) doesn't exist"
    elif (listener["Protocol"], listener["Port"]) != ("HTTPS", 443):
        problem = f"The listener {arn} (parameter ListenerArn) isn't for HTTPS on port 443"
    else:
        return
    impact = "Browsers can't connect to session URLs, or never reach the stack's rule."
    yield _finding(context, load_balancer, problem, impact, ("UatListenerRule",) if listener is None else ())


def _redirects(listener: Document) -> bool:
    return (listener["Protocol"], listener["Port"]) == ("HTTP", 80) and any(
        action["Type"] == "redirect" and action["RedirectConfig"].get("Protocol") == "HTTPS"
        for action in listener.get("DefaultActions", ())
    )


def _finding(
    context: CheckContext, load_balancer: LoadBalancer, problem: str, impact: str, logical_ids: tuple[str, ...]
) -> Finding:
    stack = context.stack
    there = ", ".join(f"{one['Protocol']} {one['Port']}" for one in listeners(context, load_balancer)) or "none"
    return Finding(
        resource=load_balancer.arn,
        problem=f"{problem}; its listeners: {there}.",
        impact=impact,
        remediation=revert_drift(stack)
        if stack.owns_load_balancer
        else "Deploy with the ListenerArn of an HTTPS listener on port 443.",
        confirm=f"aws elbv2 describe-listeners --load-balancer-arn {load_balancer.arn}",
        logical_ids=logical_ids,
    )


CHECK = Check(
    name="listener",
    question="Does the load balancer listen for HTTPS?",
    run=run,
    actions=(*ACTIONS, LISTENERS_ACTION),
)
