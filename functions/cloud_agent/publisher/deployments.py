"""The session's Deployment: GitHub's own box on the pull request, with the live address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import environment_name
from cloud_agent.domain.session.preview import PreviewState
from cloud_agent.domain.session.session import Session, SessionStatus
from cloud_agent.publisher.links import session_link, session_page_link

if TYPE_CHECKING:
    from cloud_agent.adapters.table.publications import Published
    from cloud_agent.publisher.context import PublishingContext

_OPERATION = "deployment"
_STATES = {
    PreviewState.STARTING: "in_progress",
    PreviewState.LIVE: "success",
    PreviewState.FAILED: "failure",
    PreviewState.NONE: "inactive",
}
_OUTCOMES = frozenset({"success", "failure", "inactive"})


def begin(context: PublishingContext, session: Session) -> int:
    """Guarantee one Deployment of this session; returns its id, which the row then knows.

    It has no state of its own yet, which GitHub shows as pending.
    """
    if session.deployment_id is not None:
        return session.deployment_id
    on_github, deployment = context.github(session).deployments, None
    if not context.publications.first_try(session.session_id, _OPERATION):
        deployment = on_github.find(_environment(session), session.session_id)
    if deployment is None:
        deployment = on_github.create(session.branch, _environment(session), session.session_id)
    context.sessions.record_deployment(session.session_id, deployment.id, deployment.creator)
    return deployment.id


def announce(context: PublishingContext, session: Session) -> int:
    """Guarantee that the session's Deployment shows its address, and how its preview is; returns its id."""
    deployment_id = session.deployment_id or begin(context, session)
    _show(context, session, deployment_id, _state(session))
    return deployment_id


def refresh(context: PublishingContext, session: Session, published: Published) -> None:
    """Have the Deployment of an announced session follow its preview to success or failure.

    A preview that merely starts again leaves it as it is: GitHub keeps each state that a Deployment has been in.
    """
    if session.deployment_id is None or session.lifecycle_token is None or not published.deployment_state:
        return
    state = _state(session)
    if state != published.deployment_state and state in _OUTCOMES:
        _show(context, session, session.deployment_id, state)


def end(context: PublishingContext, session: Session) -> None:
    """Guarantee that this session's Deployment, and no other, claims no live address any more."""
    on_github = context.github(session).deployments
    deployment_id = session.deployment_id
    if deployment_id is None and (found := on_github.find(_environment(session), session.session_id)):
        deployment_id = found.id
    if deployment_id is not None:
        state = "error" if session.status is SessionStatus.FAILED else "inactive"
        on_github.set_state(deployment_id, state, _log_url(context, session))


def _state(session: Session) -> str:
    return _STATES[session.preview.state if session.preview else PreviewState.LIVE]


def _show(context: PublishingContext, session: Session, deployment_id: int, state: str) -> None:
    link = session_link(context.settings, session)
    context.github(session).deployments.set_state(deployment_id, state, _log_url(context, session), link)
    context.publications.record_deployment_state(session.session_id, state)


def _environment(session: Session) -> str:
    return environment_name(int(session.pull_number or 0))


def _log_url(context: PublishingContext, session: Session) -> str:
    """Return the session's page, which leads to the execution and to the container's log."""
    return session_page_link(context.settings, session)
