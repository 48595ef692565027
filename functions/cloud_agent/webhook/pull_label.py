"""A trigger label on a pull request: Claude works on its branch, if that's one that a session can push to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.adapters.table.branches import Branches
from cloud_agent.adapters.table.issue_sessions import live_session_of_branch, sessions_of_pull
from cloud_agent.domain.conversation import replies
from cloud_agent.domain.conversation.commands import Command
from cloud_agent.webhook.commands import carry_out
from cloud_agent.webhook.comment import add_eyes, reply
from cloud_agent.webhook.decisions import LabelPull, Obstacle, Origin, Steer
from cloud_agent.webhook.permission import may_act
from cloud_agent.webhook.start import explain_once, start

if TYPE_CHECKING:
    from cloud_agent.domain.session.issue_sessions import PullRequestSessions
    from cloud_agent.settings import WebhookSettings


def label_pull(settings: WebhookSettings, decision: LabelPull) -> dict[str, str]:
    """Start a session on the pull request's branch, or the next one of the issue that it was opened for.

    Where no session can be, the pull request says why: once for each person, so that nobody can make it a loop.

    Raises:
        CloudAgentError: as `connect_for_all` and `Conversation` do; a later try comes to the same.
    """
    request = decision.start.request
    sessions = sessions_of_pull(settings.sessions_table, request.repository, request.issue_number)
    if sessions is not None and not sessions.current.is_of_pull_request:
        return _go_on(settings, decision, sessions)
    if decision.obstacle is not None:
        return _explain(settings, decision, _why_not(decision, decision.obstacle))
    other = live_session_of_branch(settings.sessions_table, request.repository, request.branch)
    if other is not None and other.issue_number != request.issue_number:
        return _explain(settings, decision, replies.branch_at_work(request.branch, other.issue_number))
    Branches(settings.sessions_table).hand_over(request.repository_id, request.branch, request.issue_number)
    return start(settings, decision.start)


def _go_on(settings: WebhookSettings, decision: LabelPull, sessions: PullRequestSessions) -> dict[str, str]:
    """Do what `/restart` does, where the issue's session has ended."""
    request, session = decision.start.request, sessions.current
    if session.status.is_live or (sessions.next_is_starting and not sessions.triggered_by(decision.identity)):
        return _explain(settings, decision, replies.already_at_work(decision.label))
    github = connect_for_all(settings, request.repository, SHORT).conversation
    if not may_act(settings, github, request.requested_by):
        return _explain(settings, decision, replies.label_refused(request.requested_by, decision.label))
    comment = _restart_of(decision)
    if parts := carry_out(settings, github, comment, sessions, turn_runs=False):
        reply(github, comment, *parts)
    add_eyes(github, comment)
    return {"accepted": str(Command.RESTART)}


def _restart_of(decision: LabelPull) -> Steer:
    """Return the comment that would say the same as the label."""
    request, prompt = decision.start.request, decision.start.prompt
    origin = Origin(
        repository=request.repository,
        default_branch=request.default_branch,
        number=request.issue_number,
        is_open=True,
        author=request.requested_by,
        author_id=prompt.requested_by_id,
    )
    return Steer(
        origin=origin,
        identity=decision.identity,
        id=prompt.id,
        url=prompt.url,
        node_ids=(decision.start.node_id,),
        at=request.triggered_at,
        prompts=(),
        commands=frozenset({Command.RESTART}),
    )


def _why_not(decision: LabelPull, obstacle: Obstacle) -> str:
    request = decision.start.request
    match obstacle:
        case Obstacle.FORK:
            return replies.label_on_fork(decision.label)
        case Obstacle.DEFAULT_BRANCH:
            return replies.label_on_default_branch(decision.label, request.default_branch)


def _explain(settings: WebhookSettings, decision: LabelPull, text: str) -> dict[str, str]:
    request = decision.start.request
    github = connect_for_all(settings, request.repository, SHORT).conversation
    explain_once(settings, github, request, f"label on the pull request by {request.requested_by}", text)
    return {"ignored": f"no session was started on #{request.issue_number}, and it says why"}
