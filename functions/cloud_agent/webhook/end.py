"""Something closed, or a label taken off, ends the session it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.observability import identify_session, logger, metrics
from cloud_agent.webhook.issue_session import IssueSession, of_issue, of_pull_request, row_of
from cloud_agent.webhook.outcome import Outcome, ignored

if TYPE_CHECKING:
    from cloud_agent.domain.session.requested_session import RequestedSession
    from cloud_agent.domain.session.session import Ending, Session
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import End


def end(settings: WebhookSettings, decision: End) -> Outcome:
    """End the live session, if there is one.

    Needs no memory of deliveries: the first request to end a session stands, and a later one changes nothing. A session
    that has been asked for and has not begun never begins.
    """
    known = (
        of_pull_request(settings.sessions_table, decision.repo, decision.pull_number)
        if decision.pull_number is not None
        else of_issue(settings.sessions_table, decision.repo, decision.issue_number or 0)
    )
    if known is None:
        return ignored("there is no live session to end")
    if known.began_after(decision.at):
        return ignored("the session was asked for after this had happened")
    session = known.session if _concerns(decision, known.session) else None
    asked = end_session(settings, session, decision.ending) if session else None
    called_off = (
        call_off_next(settings, decision.repo, known, decision.ending) if _concerns(decision, known.last) else None
    )
    if asked is not None and asked.ending is not None:
        return {"session_id": asked.session_id, "ending": asked.ending.reason}
    if called_off is not None:
        return {"session_id": called_off, "ending": decision.ending.reason}
    if known.session is not None and session is None:
        return ignored(f"session {known.session.session_id} was started by another label")
    return ignored("there is no live session to end")


def _concerns(decision: End, session: Session | RequestedSession | None) -> bool:
    """Whether it is for this session: a label that was taken off is for those that it has started."""
    return session is not None and decision.agent in {None, session.agent}


def call_off_next(settings: WebhookSettings, repo: str, known: IssueSession, ending: Ending) -> str | None:
    """Keep the session that has been asked for from beginning; returns its id, None when none is on its way.

    Should it begin just now, it has a row by then, and is ended as any other.
    """
    if not known.next_is_starting or known.last is None:
        return None
    session_id = known.last.session_id
    RequestedSessions(settings.sessions_table).call_off(repo, known.issue_number, session_id)
    row = row_of(SessionsTable(settings.sessions_table), session_id)
    if row is not None:
        end_session(settings, row, ending)
    logger.info("session called off", extra={"of_session": session_id, "has_begun": row is not None})
    return session_id


def end_session(settings: WebhookSettings, session: Session, ending: Ending) -> Session | None:
    """Note the ending and tell whichever wait the execution is in; returns the row, None when the session is over."""
    asked = SessionsTable(settings.sessions_table).request_end(session.session_id, ending)
    if asked is None or asked.ending is None:
        return None
    identify_session(asked.session_id, asked.execution_arn)
    told = Workflow().end(asked, asked.ending)
    logger.info("end requested", extra={"reason": asked.ending.reason, "told": told})
    metrics.add_metric("EndsRequested", MetricUnit.Count, 1)
    return asked
