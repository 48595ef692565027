"""Something closed, or a label removed, ends the session it belongs to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.adapters.table.explanations import Explanations
from cloud_agent.adapters.table.issue_sessions import sessions_of_issue, sessions_of_pull
from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation import replies
from cloud_agent.domain.session.session import SessionStatus
from cloud_agent.observability import identify_session, logger, metrics
from cloud_agent.webhook.decisions import MERGED
from cloud_agent.webhook.permission import may_act

if TYPE_CHECKING:
    from cloud_agent.domain.session.issue_sessions import IssueSessions
    from cloud_agent.domain.session.session import Ending, Session
    from cloud_agent.domain.session.session_request import RequestedSession
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Closer, End


def end(settings: WebhookSettings, decision: End) -> dict[str, str]:
    """End the live session, if there is one.

    Needs no memory of deliveries: the first request to end a session stands, and a later one changes nothing. A session
    that has been requested and has not begun never begins. What was undone in the same second, in whichever order the
    deliveries come, ends nothing.

    Raises:
        CloudAgentError: as `connect_for_all` and `Conversation` do, where GitHub has to be asked.
    """
    table_name, repository, pull_number = settings.sessions_table, decision.repository, decision.pull_number
    sessions: IssueSessions | None = None
    if pull_number is not None:
        sessions = sessions_of_pull(table_name, repository, pull_number)
    if sessions is None:  # one that was requested on a pull request, and has yet to begin, is known by that alone
        sessions = sessions_of_issue(table_name, repository, decision.issue_number or pull_number or 0)
    if sessions.requested_after(decision.at):
        return {"ignored": "the session was requested after this had happened"}
    live, closer = _live(sessions), decision.closer
    is_doubtful = sessions.may_be_requested_after(decision.at) and _concerns(decision, live)
    if live and is_doubtful and _is_undone(settings, decision, live):
        return {"ignored": f"#{decision.issue_number or pull_number} is open, or has the label, again"}
    if closer and live and not _may_end(settings, decision, closer, live):
        return {"ignored": f"{closer.login} has no write permission in {decision.repository.name}"}
    if live and _was_closed_by_its_merge(settings, decision, live):
        decision = replace(decision, ending=MERGED)
    return _end_and_cancel(settings, decision, sessions)


def _is_undone(settings: WebhookSettings, decision: End, live: Session | RequestedSession) -> bool:
    """Whether GitHub has the issue or pull request open again by now, or with the label that was removed.

    A merge is for good.
    """
    if decision.ending is MERGED:
        return False
    github = connect_for_all(settings, decision.repository, SHORT).conversation
    number = decision.issue_number or decision.pull_number or 0
    is_pull = decision.issue_number is None or live.is_of_pull_request
    found = github.issue(number, live.branch, (), is_pull=is_pull)
    if found is None or not found.is_open:
        return False
    return decision.agent is None or settings.trigger_labels.is_on(found.labels, decision.agent)


def _was_closed_by_its_merge(settings: WebhookSettings, decision: End, live: Session | RequestedSession) -> bool:
    """Whether an issue was closed as done because its pull request was merged, of which GitHub tells in any order."""
    pull_number = getattr(live, "pull_number", None)
    if decision.issue_number is None or decision.ending.status is not SessionStatus.COMPLETED or pull_number is None:
        return False
    repository = connect_for_all(settings, decision.repository, SHORT).repository
    return repository.pull_request(pull_number).merged_at is not None


def _end_and_cancel(settings: WebhookSettings, decision: End, sessions: IssueSessions) -> dict[str, str]:
    """End the session that is live and the one that has yet to begin."""
    current = sessions.current if _concerns(decision, sessions.current) else None
    ended = end_session(settings, current, decision.ending) if current else None
    cancelled_id = cancel_next(settings, sessions, decision.ending) if _concerns(decision, sessions.last) else None
    if ended is not None and ended.ending is not None:
        return {"session_id": ended.session_id, "ending": ended.ending.reason}
    if cancelled_id is not None:
        return {"session_id": cancelled_id, "ending": decision.ending.reason}
    if sessions.current is not None and current is None:
        return {"ignored": f"session {sessions.current.session_id} was started by another label"}
    return {"ignored": "there is no live session to end"}


def _live(sessions: IssueSessions) -> Session | RequestedSession | None:
    if sessions.next_is_starting:
        return sessions.last
    return sessions.current if sessions.current and sessions.current.status.is_live else None


def _may_end(settings: WebhookSettings, decision: End, closer: Closer, session: Session | RequestedSession) -> bool:
    """Whether who closed the issue may end its session. Whoever may not gets the reason on the issue, once."""
    github = connect_for_all(settings, decision.repository, SHORT).conversation
    if may_act(settings, github, closer.login):
        return True
    subject, topic = f"issue#{session.issue_number}", f"close by {closer.login}"
    if Explanations(settings.sessions_table).may_explain(decision.repository.id, subject, topic, closer.delivery_id):
        text = replies.close_refused(closer.login, settings.trigger_labels.label_of(session.agent))
        marker, body = replies.reply_marker(closer.delivery_id), replies.reply(closer.delivery_id, text)
        github.ensure_comment(session.issue_number, marker, body, decision.at)
    return False


def _concerns(decision: End, session: Session | RequestedSession | None) -> bool:
    """Whether it is for this session: a removed label is for those that it has started."""
    return session is not None and decision.agent in {None, session.agent}


def cancel_next(settings: WebhookSettings, sessions: IssueSessions, ending: Ending) -> str | None:
    """Keep the session that has been requested from beginning; returns its id, None when none is on its way.

    Should it begin just now, it has a row by then, and is ended as any other.
    """
    if not sessions.next_is_starting or sessions.last is None:
        return None
    session_id = sessions.last.session_id
    RequestedSessions(settings.sessions_table).cancel(session_id)
    begun = SessionsTable(settings.sessions_table).find(session_id)
    if begun is not None:
        end_session(settings, begun, ending)
    logger.info("session cancelled", extra={"of_session": session_id, "has_begun": begun is not None})
    return session_id


def end_session(settings: WebhookSettings, session: Session, ending: Ending) -> Session | None:
    """Note the ending and notify whichever wait the execution is in; returns the row, None when the session has ended.

    The first request to end a session stands.
    """
    ended = SessionsTable(settings.sessions_table).request_end(session.session_id, ending)
    if ended is None or ended.ending is None:
        return None
    identify_session(ended.session_id, ended.execution_arn)
    notified = Workflow().end(ended, ended.ending)
    logger.info("end requested", extra={"reason": ended.ending.reason, "notified": notified})
    metrics.add_metric("EndsRequested", MetricUnit.Count, 1)
    return ended
