"""What the answer to a visit says of the path to a session; knows no HTTP and no AWS."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from cloud_agent.domain.session.entry_link import UatAccess
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_agent.domain.session.session import Session
    from cloud_agent_doctor.engine.examination import Stack
    from cloud_agent_doctor.session.probes import Visit

# Every hop that a visit passes: where an earlier finding speaks of one, the visit says nothing new.
HOPS: Final = (
    "UatRecord",
    "ApplicationLoadBalancer",
    "LoadBalancerSecurityGroup",
    "HttpsListener",
    "UatListenerRule",
    "ProxyTargetGroup",
    "ProxySecurityGroup",
    "ProxyIngress",
    "ProxyService",
    "ProxyTaskDefinition",
    "AgentSecurityGroup",
    "AgentIngress",
)
_BEFORE_THE_PROXY: Final[Mapping[int, str]] = {
    HTTPStatus.NOT_FOUND: "a listener without our rule answers so",
    HTTPStatus.BAD_GATEWAY: "a load balancer answers so when a target closes the connection",
    HTTPStatus.SERVICE_UNAVAILABLE: "a load balancer answers so when it has no healthy target",
    HTTPStatus.GATEWAY_TIMEOUT: "a load balancer answers so when a target is not reached",
}
_COMPARE: Final = "compare DNS, certificate, listener, rule and target group with docs/architecture.md."


def findings(stack: Stack, session: Session, row: Mapping[str, Any], url: str, visit: Visit) -> Iterator[Finding]:
    """Yield what is wrong on the way to a running session; `row` has the agent's report on its dev server."""
    answering = row.get("dev_server", {}).get("answering", True)
    if visit.document is None:
        problem, mend = _unreached(session, visit)
    else:
        problem, mend = _told(stack, session, visit.document, answering=answering)
    if problem:
        yield Finding(
            resource=url,
            problem=problem,
            meaning="Visitors of the session's URL do not see its dev server.",
            mend=mend,
            confirm=confirm(stack, session.session_id),
            logical_ids=HOPS,
        )


def confirm(stack: Stack, session_id: str) -> str:
    """Return the command that looks at this session again; the row itself holds tokens, and is not to be printed."""
    return f"cloud-agent doctor --stack {stack.name} --session {session_id}"


def _unreached(session: Session, visit: Visit) -> tuple[str, str]:
    """Return the problem and its mend, where no answer came, or one of a hop before the proxy."""
    who = f"The URL of session {session.session_id}"
    if not visit.status:
        return (
            f"{who} cannot be reached: {visit.trouble}.",
            f"See whether VisitorCidr admits this machine; else {_COMPARE}",
        )
    hint = _BEFORE_THE_PROXY.get(visit.status, "what answers is not known here")
    problem = f"{who} is answered {visit.status}, and not by the proxy: {hint}."
    return problem, f"Mend the hop in the template or its parameters: {_COMPARE}"


def _told(stack: Stack, session: Session, told: Mapping[str, Any], *, answering: bool) -> tuple[str, str]:
    """Return the problem and its mend by the proxy's own word; nothing when there is none."""
    who = f"session {session.session_id}"
    if told["error"] in {"signed_out", "link_no_longer_good"}:
        if stack.parameters.get("UatAccess") == UatAccess.GITHUB:
            return "", ""  # as it should be: the proxy is reached, and shows the rest only to those who sign in
        problem = f"The proxy does not accept the link of {who}: it runs with other access keys than sign the links."
        return problem, "Restart the proxy, which reads its keys as it starts (docs/deploy.md, Rotate the access keys)."
    if not told["live"]:
        hop = told.get("hop") or told["title"]
        report = "answers" if answering else "does not answer"
        problem = f"The proxy is reached, but shows no dev server of {who}: {hop} (The row says that it {report}.)"
        return problem, "Comment on the pull request, so that Claude brings its dev server up; or /restart."
    if not answering:
        problem = f"The dev server of {who} answers, but its row says that it does not: the agent's report is lost."
        return problem, "Comment /restart on its pull request; if others have it too, see the log of AgentApiFunction."
    return "", ""
