"""State "Close Session": the one way every session ends, however it ended."""

from __future__ import annotations

from typing import Any

from cloud_agent.domain.errors import SessionNotFoundError
from cloud_agent.domain.policy.failures import readable_reason
from cloud_agent.domain.session.session import SessionStatus
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.publisher.context import publishing_context
from cloud_agent.publisher.finalization import finalize
from cloud_agent.queue import move_on
from cloud_agent.settings import CloseSessionSettings, load


class CloseSessionEvent(StepEvent):
    """How the session ended."""

    status: SessionStatus
    reason: str


@step(CloseSessionEvent)
def handler(event: CloseSessionEvent) -> dict[str, Any]:
    """Guarantees that slot and lock are free, the next session started, and nothing claims a live URL.

    The table comes first: whatever GitHub answers, the next session can start.
    """
    settings, session_id = load(CloseSessionSettings), event.session.session_id
    context = publishing_context(settings)
    try:
        session = context.sessions.get_own(session_id, event.execution_arn)
    except SessionNotFoundError:
        logger.info("nothing to close: the session was never claimed")
        return {"status": event.status}
    context.sessions.close(session, event.status, readable_reason(event.reason))
    context.slots.free(session_id)
    move_on(context.slots, settings.slot_limits)
    closed = context.sessions.get(session_id)
    if closed.pull_number is not None:
        finalize(context, closed)
    logger.info("session closed", extra={"status": closed.status, "reason": closed.end_reason})
    return {"status": event.status}
