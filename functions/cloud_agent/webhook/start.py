"""A label asks for a session: started if its sender may, and if what the label asked for still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.github.conversation import GitHubApi, connect
from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.domain.conversation import replies
from cloud_agent.webhook.issue_session import of_issue
from cloud_agent.webhook.launch import Asked, following, launch
from cloud_agent.webhook.outcome import Outcome, ignored

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Start


def start(*, settings: WebhookSettings, decision: Start, identity: str) -> Outcome:
    """Start the session that the delivery `identity` asks for, unless there is a reason against it.

    A session that is about to end is followed by this one. Done again after a failure, it comes to the same.

    Raises:
        CloudAgentError: as `github_api.connect` and `GitHubApi` do; nothing has been started.
    """
    request = decision.request
    known = of_issue(settings.sessions_table, request.repo, request.issue_number)
    live = known.session
    if live is not None and not known.was_asked_for_by(identity) and live.session_id != request.session_id:
        if live.ending is None:
            return _already_live(settings, decision, identity, live)
        request = following(request, live)
    github = connect(settings, request.repo, request.installation_id)
    if not github.has_write_permission(request.requested_by):
        words = replies.label_refused(request.requested_by, settings.trigger_labels.label_of(request.agent))
        _explain(settings, github, decision, identity, f"label by {request.requested_by}", words)
        return ignored(f"{request.requested_by} has no write permission in {request.repo}")
    issue = github.issue(request.issue_number)
    if issue is None or not issue.is_open or settings.trigger_labels.label_of(request.agent) not in issue.labels:
        return ignored(f"issue #{request.issue_number} is not open with the label any more")
    return {"session_id": launch(settings, request, decision.prompt, Asked(identity, decision.at), known)}


def _already_live(settings: WebhookSettings, decision: Start, identity: str, live: Session) -> Outcome:
    """One live session an issue. Who asks for the other agent is told there: nothing else would show it."""
    request, requested = decision.request, RequestedSessions(settings.sessions_table)
    if request.agent is live.agent:
        requested.note_asked_again(request.repo, request.issue_number, live.session_id, decision.at)
    else:
        labels = settings.trigger_labels
        words = replies.other_agent_at_work(live, labels.label_of(live.agent), labels.label_of(request.agent))
        github = connect(settings, request.repo, request.installation_id)
        _explain(settings, github, decision, identity, f"label during {live.session_id}", words)
    return ignored(f"issue #{request.issue_number} already has the live session {live.session_id}")


def _explain(  # noqa: PLR0913, PLR0917 - what is said, to whom, and what it is said once for
    settings: WebhookSettings, github: GitHubApi, decision: Start, identity: str, topic: str, words: str
) -> None:
    """Say on the issue why nothing was started: once for each issue and topic, so that nobody can make it a loop."""
    request = decision.request
    requested = RequestedSessions(settings.sessions_table)
    if requested.may_explain(request.repo, f"issue#{request.issue_number}", topic, identity):
        body = replies.reply(identity, words)
        github.ensure_comment(request.issue_number, replies.reply_marker(identity), body, decision.at)
