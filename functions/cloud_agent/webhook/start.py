"""A label requests a session: started if its sender may, and if what the label requested still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.adapters.table.branches import Branches
from cloud_agent.adapters.table.explanations import Explanations
from cloud_agent.adapters.table.issue_sessions import sessions_of_issue
from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.domain.conversation import replies
from cloud_agent.domain.conversation.discussion import mentions_in, with_context
from cloud_agent.domain.session.issue_key import branch_name, issue_key, own_branch_name, projects_in
from cloud_agent.domain.session.naming import name_session
from cloud_agent.domain.session.session_request import RequestedSession, SessionRequest
from cloud_agent.webhook.launch import launch, with_branches
from cloud_agent.webhook.permission import may_act

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.domain.session.session import Session
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Start

R = TypeVar("R", bound=SessionRequest)


def start(settings: WebhookSettings, decision: Start) -> dict[str, str]:
    """Start the session that the delivery requests, unless there is a reason against it.

    A session that is about to end is followed by this one. Done again after a failure, it comes to the same.

    Raises:
        CloudAgentError: as `connect_for_all` and `Conversation` do; nothing has been started.
    """
    request, labels = _with_own_branch(settings, decision.request), settings.trigger_labels
    sessions = sessions_of_issue(settings.sessions_table, request.repository, request.issue_number)
    live = sessions.current
    session = name_session(request, sessions, follows=live.session_id if live and live.ending else None)
    if live is not None and live.session_id not in {session.session_id, session.follows}:
        return _already_live(settings, request, live)
    github = connect_for_all(settings, request.repository, SHORT).conversation
    if not may_act(settings, github, request.requested_by):
        text = replies.label_refused(request.requested_by, labels.label_of(request.agent))
        explain_once(settings, github, request, f"label by {request.requested_by}", text)
        return {"ignored": f"{request.requested_by} has no write permission in {request.repo}"}
    mentions = mentions_in(decision.prompt.body, request.issue_number)
    # Which branch the title names may be for the repository's settings to say, which come with the issue.
    is_pull = request.is_of_pull_request
    branch = sessions.last.branch if sessions.last and not is_pull else request.branch
    issue = github.see_issue(decision.node_id, request.issue_number, branch, mentions, is_pull=is_pull)
    if issue is None or not issue.is_open or not labels.is_on(issue.labels, request.agent):
        return {"ignored": f"#{request.issue_number} is not open with the label any more"}
    prompt = with_context(decision.prompt, issue.context, until=request.triggered_at)
    session = with_branches(_with_key(settings, session, projects_in(issue.settings)), issue)
    launch(settings, session, prompt, sessions.last)
    return {"session_id": session.session_id}


def _with_key(settings: WebhookSettings, session: RequestedSession, projects: frozenset[str]) -> RequestedSession:
    """Return the session, named after a key in the title where these projects of the repository's own make it one.

    Not one of a pull request, which has its branch.
    """
    if session.is_of_pull_request:
        return session
    key = issue_key(session.issue_title, session.issue_number, settings.tracker_projects | projects)
    if key == session.issue_key:
        return session
    return _with_own_branch(settings, session.model_copy(update={"issue_key": key, "branch": branch_name(key)}))


def _with_own_branch(settings: WebhookSettings, request: R) -> R:
    """Return the request, on a branch of its own where another issue with the same key has the branch."""
    if request.issue_key.isdecimal():
        return request
    issue_number = Branches(settings.sessions_table).issue_of(request.repository_id, request.branch)
    if issue_number in {None, request.issue_number}:
        return request
    return request.model_copy(update={"branch": own_branch_name(request.issue_key, request.issue_number)})


def _already_live(settings: WebhookSettings, request: SessionRequest, live: Session) -> dict[str, str]:
    """One live session an issue. Who requests the other agent is answered there: nothing else would show it."""
    if request.agent is live.agent:
        requested = RequestedSessions(settings.sessions_table)
        requested.record_repetition(request.repository_id, request.issue_number, live.session_id, request.triggered_at)
    else:
        labels = settings.trigger_labels
        text = replies.other_agent_at_work(live, labels.label_of(live.agent), labels.label_of(request.agent))
        github = connect_for_all(settings, request.repository, SHORT).conversation
        explain_once(settings, github, request, f"label during {live.session_id}", text)
    return {"ignored": f"#{request.issue_number} already has the live session {live.session_id}"}


def explain_once(
    settings: WebhookSettings, github: Conversation, request: SessionRequest, topic: str, text: str
) -> None:
    """Say on the issue why nothing was started: once for each issue and topic, so that nobody can make it a loop."""
    number, identity = request.issue_number, request.triggered_by
    if Explanations(settings.sessions_table).may_explain(request.repository_id, f"issue#{number}", topic, identity):
        body = replies.reply(identity, text)
        github.ensure_comment(number, replies.reply_marker(identity), body, request.triggered_at)
