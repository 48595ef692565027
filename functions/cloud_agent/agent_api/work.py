"""Claude's work: what it is asked, how far it has come, and when a session's means are used up."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit
from pydantic import TypeAdapter

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.agent_api.requests import open_live_session, refuse_ending
from cloud_agent.agent_api.responses import Accepted, OpenPrompt, OpenPrompts
from cloud_agent.agent_api.routes import Routes
from cloud_agent.domain.conversation.attachments import attachments_of
from cloud_agent.domain.conversation.branch_rules import rules_for_claude
from cloud_agent.domain.errors import SessionOverError
from cloud_agent.domain.session.agent_reports import Progress, TurnFinished, TurnStarted
from cloud_agent.domain.session.session import Ending, Session, SessionStatus, session_url, timestamp
from cloud_agent.observability import logger, metrics
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent.domain.conversation.prompts import Prompt

routes = Routes()
NO_PROMPT = "-"
# Lambda lets a function answer with 6 MB, of a text that it encodes once more. What does not fit comes later.
PROMPTS_LIMIT_BYTES = 1_000_000
_PROGRESS: TypeAdapter[Progress] = TypeAdapter(Progress)


def version_of_open_prompts(session: Session) -> str:
    """Name what `open_requests` returns. It differs once a prompt, edit, answer, request, commits or a viewer come."""
    chosen_at = session.chosen_model.at if session.chosen_model else None
    latest = (
        session.latest_prompt_id,
        session.latest_turn_id,
        session.interrupt_id,
        session.branch_sha,
        hashlib.sha256(session.base.encode()).hexdigest()[:8],  # a header holds no name that Git allows
        chosen_at,
    )
    watched = "watched" if session.is_watched else NO_PROMPT
    return ".".join([session.status, *(one or NO_PROMPT for one in latest), str(session.prompt_edits), watched])


@routes.request("GET", "/agent/prompts", OpenPrompts, version=version_of_open_prompts)
def prompts(session: Session) -> OpenPrompts:
    """Return the prompts that Claude has not replied to yet, oldest first, and the latest request to interrupt a turn.

    Also the model that was chosen on the pull request, from the next turn on.

    No prompt before the session's address is registered: Claude's work is meant to be watched from its beginning.
    """
    return open_requests(session)


@routes.report("/agent/progress", _PROGRESS, Accepted, opened=open_live_session)
def progress(session: Session, report: Progress) -> Accepted:
    """Write what Claude is doing onto the row and its prompts. The same report, made again, changes nothing.

    A turn that ends while the session is asked to end still leaves its answer: its author gets it.
    """
    settings = load(AgentApiSettings)
    if isinstance(report, TurnFinished):
        Prompts(settings.sessions_table).record_turn_result(session.session_id, report.turn_result(timestamp()))
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
        metrics.flush_metrics()  # here, as most requests have none
    refuse_ending(session)
    if isinstance(report, TurnFinished):
        _end_if_used_up(session, report, settings)
    return Accepted()


def _end_if_used_up(session: Session, report: TurnFinished, settings: AgentApiSettings) -> None:
    reason = settings.session_limits.of(session).reached_by(report.turns, report.cost)
    if reason is None:
        return
    ending = Ending(status=SessionStatus.STOPPED, reason=reason)
    asked = SessionsTable(settings.sessions_table).request_end(session.session_id, ending)
    notified = asked is not None and Workflow().end(asked, asked.ending or ending)
    logger.info("session used up", extra={"turns": report.turns, "cost_usd": report.cost_usd, "notified": notified})


def open_requests(session: Session) -> OpenPrompts:
    """Return what the agent has to see to. Prompts as much as fits, and none while the session isn't running."""
    is_running, chosen = session.status is SessionStatus.RUNNING, session.chosen_model
    settings = load(AgentApiSettings)
    return OpenPrompts(
        prompts=_fitting(session, Prompts(settings.sessions_table).unanswered(session.session_id))
        if is_running
        else (),
        interrupt=session.interrupt_id,
        branch_sha=session.branch_sha,
        base_branch=session.base,
        model=chosen.model if chosen else None,
        effort=chosen.effort if chosen else None,
        app=session.app,
        session_url=session_url(settings.uat_url, session.session_id),
        is_watched=session.is_watched,
    )


def _fitting(session: Session, unanswered: Iterable[Prompt]) -> tuple[OpenPrompt, ...]:
    shown: list[OpenPrompt] = []
    size = 0
    for prompt in unanswered:
        members = prompt.model_dump(include=set(OpenPrompt.model_fields))
        if prompt.kind.is_labelled and (rules := rules_for_claude(session.branch_rules)):
            members["body"] = f"{prompt.body}\n\n{rules}"
        members |= {"threads": len(prompt.threads), "has_attachments": bool(attachments_of(prompt))}
        listed = OpenPrompt.model_validate(members)
        size += len(listed.model_dump_json().encode())
        if shown and size > PROMPTS_LIMIT_BYTES:
            break
        shown.append(listed)
    return tuple(shown)
