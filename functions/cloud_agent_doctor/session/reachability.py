"""What the response to a probe says about the path to a session; knows no HTTP and no AWS."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from cloud_agent.domain.session.entry_link import UatAccess
from cloud_agent.domain.session.preview import Preview, PreviewState
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_agent.domain.session.session import Session
    from cloud_agent_doctor.engine.stack import Stack
    from cloud_agent_doctor.probe import SessionProbe

# Every hop a probe passes: if an earlier finding covers one, the probe has nothing to add.
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
    "AgentSecondIngress",
)
_BEFORE_THE_PROXY: Final[Mapping[int, str]] = {
    HTTPStatus.NOT_FOUND: "that's a listener without our rule",
    HTTPStatus.BAD_GATEWAY: "that's a load balancer whose target closed the connection",
    HTTPStatus.SERVICE_UNAVAILABLE: "that's a load balancer without healthy targets",
    HTTPStatus.GATEWAY_TIMEOUT: "that's a load balancer that can't reach a target",
}
_COMPARE: Final = "compare DNS, certificate, listener, rule and target group with docs/architecture.md."


def findings(
    stack: Stack, session: Session, row: Mapping[str, Any], url: str, probe: SessionProbe
) -> Iterator[Finding]:
    """Yield what's wrong on the way to a running session; `row` has the agent's report about its preview.

    A preview that starts, or that there is none of, is nobody's fault.
    """
    preview = Preview.model_validate(row.get("preview", {"state": PreviewState.LIVE}))
    if probe.document is None:
        problem, remediation = _unreached(session, probe)
    else:
        problem, remediation = _reported(stack, session, probe.document, preview)
    if problem:
        yield Finding(
            resource=url,
            problem=problem,
            impact="Visitors of the session's URL don't see its dev server.",
            remediation=remediation,
            confirm=confirm(stack, session.session_id),
            logical_ids=HOPS,
        )


def confirm(stack: Stack, session_id: str) -> str:
    """Return the command that checks this session again; the row itself holds tokens and mustn't be printed."""
    return f"cloud-agent doctor --stack {stack.name} --session {session_id}"


def _unreached(session: Session, probe: SessionProbe) -> tuple[str, str]:
    """Return the problem and its remediation if nothing responded, or a hop before the proxy did."""
    who = f"The URL of session {session.session_id}"
    if not probe.status:
        return (
            f"{who} can't be reached: {probe.error}.",
            f"Check whether VisitorCidr admits this machine; if so, {_COMPARE}",
        )
    hint = _BEFORE_THE_PROXY.get(probe.status, "it's unknown what responded")
    problem = f"{who} responds with {probe.status}, and not from the proxy: {hint}."
    return problem, f"Fix the hop in the template or its parameters: {_COMPARE}"


def _reported(stack: Stack, session: Session, document: Mapping[str, Any], preview: Preview) -> tuple[str, str]:
    """Return the problem and its remediation by the proxy's own response; nothing if there's none."""
    who = f"session {session.session_id}"
    if document["error"] in {"signed_out", "link_expired"}:
        if stack.parameters.get("UatAccess") == UatAccess.GITHUB:
            return "", ""  # as it should be: the proxy responds, and shows the rest only after sign-in
        problem = f"The proxy rejects the link of {who}: its access keys aren't the ones that sign the links."
        return problem, "Restart the proxy, which reads its keys on start (docs/deploy.md, Rotate the access keys)."
    if not document["live"]:
        return _not_live(who, document, preview)
    if preview.state is PreviewState.FAILED:
        problem = f"The dev server of {who} responds, but its row says that it failed: the agent's report was lost."
        return problem, "Comment /restart on its pull request; if others have this too, see AgentApiFunction's log."
    return "", ""


def _not_live(who: str, document: Mapping[str, Any], preview: Preview) -> tuple[str, str]:
    """Return the problem of a dev server that isn't reached, unless the agent says that it's none."""
    if preview.state in {PreviewState.STARTING, PreviewState.NONE}:
        return "", ""
    problem = (
        f"The proxy responds, but doesn't reach the dev server of {who}: {document.get('hop') or document['title']}"
    )
    if preview.state is PreviewState.LIVE:
        return f"{problem} (Its row says it's live.)", "Comment /restart on its pull request."
    problem += f" The preview has failed: {preview.detail}"
    return problem, "Ask Claude in a comment on the pull request to fix it."
