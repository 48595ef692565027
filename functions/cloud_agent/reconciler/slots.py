"""Slots that nobody needs any more, and whoever waits for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent import queue

if TYPE_CHECKING:
    from cloud_agent.reconciler.sweep import Sweep


def free_slots(sweep: Sweep) -> None:
    """Free what is held by a session that has ended or has no row."""

    def free(session_id: str) -> None:
        sweep.slots.free(session_id)
        sweep.did("SlotFreed", of_session=session_id)

    sweep.each({session_id: session_id for session_id in [*sweep.gone, *_ended(sweep)]}, free)


def move_queue_on(sweep: Sweep) -> None:
    """Start whoever may start: the function that freed a slot may have failed before it gave it away."""
    for session_id in queue.move_on(sweep.slots, sweep.settings.slot_limits):
        sweep.did("SlotGiven", to_session=session_id)


def _ended(sweep: Sweep) -> list[str]:
    """Return the sessions whose slots can be freed: one that has just ended is still being closed."""
    ended = [session for session in sweep.sessions.values() if not session.status.is_live]
    return [session.session_id for session in ended if sweep.is_settled(session.ended_at or session.created_at)]
