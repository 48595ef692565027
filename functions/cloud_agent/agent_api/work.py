"""Claude's work: what it is asked, how far it has come, and when a session's means are used up."""

from __future__ import annotations

import json
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import TypeAdapter

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.agent_api.requests import answer, open_live_session, open_session, read, refuse_ending
from cloud_agent.domain.errors import SessionOverError
from cloud_agent.domain.session.agent_reports import Progress, TurnFinished, TurnStarted
from cloud_agent.domain.session.session import Ending, Session, SessionStatus, timestamp
from cloud_agent.observability import logger, metrics
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_lambda_powertools.event_handler import Response

    from cloud_agent.domain.conversation.prompts import Prompt

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]  # Powertools does not annotate it
_SHOWN = {"id", "kind", "title", "body", "author", "url", "created_at"}
# Lambda lets a function answer with 6 MB, of a text that it encodes once more. What does not fit comes later.
PROMPTS_LIMIT_BYTES = 1_000_000
_PROGRESS: TypeAdapter[Progress] = TypeAdapter(Progress)


@router.get("/agent/prompts")
def prompts() -> Response[str]:
    """Return what people asked and Claude has not answered yet, oldest first, and the latest wish to interrupt a turn.

    No prompt before the session's address is registered: Claude's work is meant to be watched from its beginning.
    """
    session, shown = open_session(router.current_event), []
    if session.status is SessionStatus.RUNNING:
        shown = _fitting(Prompts(load(AgentApiSettings).sessions_table).unanswered(session.session_id))
    return answer(HTTPStatus.OK, {"prompts": shown, "interrupt": session.interrupt_id})


@router.post("/agent/progress")
def progress() -> Response[str]:
    """Write what Claude is doing onto the row and its prompts. The same report, made again, changes nothing.

    A turn that ends while the session is asked to end still leaves its answer: its author gets it.
    """
    session, report = open_live_session(router.current_event), read(router.current_event, _PROGRESS)
    settings = load(AgentApiSettings)
    if isinstance(report, TurnFinished):
        Prompts(settings.sessions_table).answer(session.session_id, report.answer(timestamp()))
    else:
        refuse_ending(session)
    started = not isinstance(report, TurnStarted) or Prompts(settings.sessions_table).take(
        session.session_id, report.prompt_id
    )
    if started and not SessionsTable(settings.sessions_table).record_activity(session.session_id, report.attributes()):
        raise SessionOverError(f"Session {session.session_id} has ended.")
    if isinstance(report, TurnFinished):
        # What the row did not know yet: a report made again costs nothing.
        metrics.add_metric("CostUsd", MetricUnit.NoUnit, float(max(report.cost - session.cost_usd, Decimal(0))))
    refuse_ending(session)
    if isinstance(report, TurnFinished):
        _end_if_used_up(session, report, settings)
    return answer(HTTPStatus.OK, {})


def _end_if_used_up(session: Session, report: TurnFinished, settings: AgentApiSettings) -> None:
    reason = settings.session_limits.of(session).reached_by(report.turns, report.cost)
    if reason is None:
        return
    ending = Ending(status=SessionStatus.STOPPED, reason=reason)
    asked = SessionsTable(settings.sessions_table).request_end(session.session_id, ending)
    told = asked is not None and Workflow().end(asked, asked.ending or ending)
    logger.info("session used up", extra={"turns": report.turns, "cost_usd": report.cost_usd, "told": told})


def _fitting(unanswered: Iterable[Prompt]) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    size = 0
    for prompt in unanswered:
        document = prompt.model_dump(mode="json", include=_SHOWN)
        size += len(json.dumps(document, ensure_ascii=False).encode())
        if shown and size > PROMPTS_LIMIT_BYTES:
            break
        shown.append(document)
    return shown
