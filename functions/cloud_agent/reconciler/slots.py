"""Slots that nobody needs any more, and whoever waits for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent import queue

if TYPE_CHECKING:
    from cloud_agent.reconciler.reconciliation import Reconciliation


def free_slots(run: Reconciliation) -> None:
    """Free what is held by a session that has ended or has no row."""

    def free(session_id: str) -> None:
        run.slots.free(session_id)
        run.did("SlotFreed", of_session=session_id)

    run.each({session_id: session_id for session_id in [*run.gone, *_ended(run)]}, free)


def move_queue_on(run: Reconciliation) -> None:
    """Start whoever may start: the function that freed a slot may have failed before it gave it away."""
    for session_id in queue.move_on(run.slots, run.settings.slot_limits):
        run.did("SlotGiven", to_session=session_id)


def _ended(run: Reconciliation) -> list[str]:
    """Return the sessions whose slots can be freed: one that has just ended is still being closed."""
    ended = [session for session in run.sessions.values() if not session.status.is_live]
    return [session.session_id for session in ended if run.is_settled(session.ended_at or session.created_at)]
