"""State "Take Slot": the session may run, or it waits for its turn."""

from __future__ import annotations

from typing import Any

from cloud_agent import queue
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.slots import Slots
from cloud_agent.domain.errors import SessionOverError
from cloud_agent.domain.session.session import SessionStatus
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.settings import SlotSettings, load


@step(StepEvent)
def handler(event: StepEvent) -> dict[str, Any]:
    """Guarantees that no slot is free for this session if it has none, and says at which place it waits, from 1.

    Raises:
        SessionNotFoundError: this execution claimed no session.
        SessionOverError: the session has ended or is to end; it needs no slot.
    """
    settings = load(SlotSettings)
    slots, session_id = Slots(settings.sessions_table), event.session.session_id
    queue.move_on(slots, settings.slot_limits)
    # Only now: whoever moved the queue on, now or while the branch was being made, may have given it the slot.
    session = SessionsTable(settings.sessions_table).get_own(session_id, event.execution_arn)
    if session.ending is not None or not session.status.is_live:
        raise SessionOverError(f"Session {session_id} ended before it could be started.")
    if session.status is not SessionStatus.QUEUED:
        return {"taken": True, "place": None}
    place = slots.occupancy().place_of(session_id)
    logger.info("session waits for a slot", extra={"place": place})
    return {"taken": False, "place": place}
