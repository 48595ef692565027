"""A session's execution is started, with what earlier sessions of the issue were asked and answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.slots import Slots
from cloud_agent.domain.conversation.history import Turn, turns_of, with_history
from cloud_agent.domain.session.requested_session import RequestedSession
from cloud_agent.domain.session.session import Session, SessionRequest, execution_name, session_id_for
from cloud_agent.observability import identify_session, logger, metrics
from cloud_agent.webhook.issue_session import IssueSession, row_of

if TYPE_CHECKING:
    from cloud_agent.domain.conversation.prompts import Prompt
    from cloud_agent.settings import WebhookSettings

_SESSIONS_TOLD = 5  # how many sessions back the history goes


@dataclass(frozen=True)
class Asked:
    """Who asked for a session (a delivery's id or a comment's identity) and when, as GitHub tells it."""

    by: str
    at: datetime


def following(request: SessionRequest, ending: Session) -> SessionRequest:
    """Return the request for the session that follows one about to end: the same, whoever asks for it."""
    session_id = session_id_for(request.repo, request.issue_number, f"after:{ending.session_id}")
    return request.model_copy(update={"session_id": session_id, "follows": ending.session_id})


def launch(settings: WebhookSettings, request: SessionRequest, issue: Prompt, asked: Asked, known: IssueSession) -> str:
    """Start the session and return its id. Asked for by the same delivery or comment again, it is the same session."""
    last = known.last
    if last is not None and last.asked_by == asked.by:
        request = request.model_copy(
            update={"session_id": last.session_id, "agent": last.agent, "follows": last.follows}
        )
    elif last is not None and last.called_off and last.session_id == request.session_id:
        # It would have been the one that follows, and never begins now: this one needs a name of its own.
        another = session_id_for(request.repo, request.issue_number, f"{request.session_id}:{asked.by}")
        request = request.model_copy(update={"session_id": another})
    elif last is not None and last.session_id == request.session_id:
        # The one that follows has been asked for already, and whoever came first has chosen its agent.
        request = request.model_copy(update={"agent": last.agent})
    identify_session(request.session_id)
    previous_id = _previous(settings, known, request.session_id)
    requested = RequestedSession(
        session_id=request.session_id,
        agent=request.agent,
        follows=request.follows,
        previous_session_id=previous_id,
        asked_by=asked.by,
        asked_at=asked.at,
        requested_at=datetime.now(UTC),
    )
    RequestedSessions(settings.sessions_table).note(request.repo, request.issue_number, requested)
    Slots(settings.sessions_table).ensure()
    prompt = issue.model_copy(update={"body": with_history(issue.body, _history(settings, previous_id))})
    Prompts(settings.sessions_table).put(request.session_id, prompt)
    name = execution_name(request.repo, request.issue_number, request.session_id)
    started = Workflow().start(settings.state_machine_arn, name, request.model_dump_json())
    logger.info("session requested", extra={"execution_name": name, "started": started, "follows": request.follows})
    metrics.add_metric("SessionsRequested", MetricUnit.Count, 1)
    return request.session_id


def _previous(settings: WebhookSettings, known: IssueSession, session_id: str) -> str | None:
    """Return the issue's last session that ever began."""
    if known.session is not None and known.session.session_id != session_id:
        return known.session.session_id
    if known.last is None:
        return None
    if known.last.session_id != session_id and row_of(SessionsTable(settings.sessions_table), known.last.session_id):
        return known.last.session_id
    return known.last.previous_session_id


def _history(settings: WebhookSettings, session_id: str | None) -> list[Turn]:
    table, prompts = SessionsTable(settings.sessions_table), Prompts(settings.sessions_table)
    turns: list[Turn] = []
    for _ in range(_SESSIONS_TOLD):
        session = row_of(table, session_id) if session_id else None
        if session is None:
            break
        turns = turns_of(prompts.of(session.session_id), prompts.answers_of(session.session_id)) + turns
        session_id = session.previous_session_id
    return turns
