"""Does the load balancer listen for HTTPS?

Looks at the listeners of the load balancer in use. There must be one for HTTPS on port 443: the very one that was
given to the stack, where one was; and the stack's own load balancer must send visitors on port 80 there.

Without it browsers cannot connect at all. The stack's own listeners are brought back by a deployment; another
listener than the one that was given is named by the parameter ListenerArn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.engine.check import Check, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.load_balancer.load_balancer_in_use import (
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

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]


def examine(examination: Examination) -> Iterator[Finding]:
    """Find that the listener for HTTPS, or the one that redirects to it, is missing or another."""
    stack = examination.stack
    load_balancer = load_balancer_in_use(examination)
    if load_balancer is None:
        raise NotApplicableError(NONE_IN_USE)
    is_intended = load_balancer.arn == intended_arn(stack)
    if is_intended and not stack.owns_load_balancer:
        yield from _given(examination, load_balancer)
        return
    if https_listener(examination, load_balancer) is None:
        yield _finding(
            examination,
            load_balancer,
            f"The load balancer {load_balancer.name} has no HTTPS listener on port 443",
            "No browser connects to a session URL.",
            ("HttpsListener", "UatListenerRule") if is_intended else (),
        )
    if is_intended and not any(_redirects(one) for one in listeners(examination, load_balancer)):
        yield _finding(
            examination,
            load_balancer,
            f"The load balancer {load_balancer.name} does not redirect from HTTP on port 80 to HTTPS",
            "Whoever types a session's name without https:// gets no answer.",
            ("HttpListener",),
        )


def _given(examination: Examination, load_balancer: LoadBalancer) -> Iterator[Finding]:
    arn = examination.stack.parameters["ListenerArn"]
    listener = next((one for one in listeners(examination, load_balancer) if one["ListenerArn"] == arn), None)
    if listener is None:
        problem = f"The listener {arn} (parameter ListenerArn) does not exist"
    elif (listener["Protocol"], listener["Port"]) != ("HTTPS", 443):
        problem = f"The listener {arn} (parameter ListenerArn) is not for HTTPS on port 443"
    else:
        return
    meaning = "No browser connects to a session URL, or none comes by the stack's rule."
    yield _finding(examination, load_balancer, problem, meaning, ("UatListenerRule",) if listener is None else ())


def _redirects(listener: Document) -> bool:
    return (listener["Protocol"], listener["Port"]) == ("HTTP", 80) and any(
        action["Type"] == "redirect" and action["RedirectConfig"].get("Protocol") == "HTTPS"
        for action in listener.get("DefaultActions", ())
    )


def _finding(
    examination: Examination, load_balancer: LoadBalancer, problem: str, meaning: str, logical_ids: tuple[str, ...]
) -> Finding:
    stack = examination.stack
    there = ", ".join(f"{one['Protocol']} {one['Port']}" for one in listeners(examination, load_balancer)) or "none"
    return Finding(
        resource=load_balancer.arn,
        problem=f"{problem}; its listeners: {there}.",
        meaning=meaning,
        mend=revert(stack)
        if stack.owns_load_balancer
        else "Deploy with the ListenerArn of an HTTPS listener on port 443.",
        confirm=f"aws elbv2 describe-listeners --load-balancer-arn {load_balancer.arn}",
        logical_ids=logical_ids,
    )


CHECK = Check(
    name="listener",
    question="Does the load balancer listen for HTTPS?",
    examine=examine,
    actions=(*ACTIONS, LISTENERS_ACTION),
)
