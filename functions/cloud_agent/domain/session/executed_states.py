"""The states that a session's execution went through, read from its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent.domain.policy.failures import message_of
from cloud_agent.domain.session.session import timestamp
from cloud_agent.domain.session.transcript import ExecutionEvent, NoticeEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cloud_agent.domain.session.transcript import TranscriptEvent

    HistoryEvent = Mapping[str, Any]

STATES_LIMIT = 100  # a session that goes well has 16; one that waits for its turn a day long, some hundreds
_ERROR_LIMIT, _CAUSE_LIMIT = 1_000, 2_000  # characters
_EARLIER = "The execution went through earlier states, too, which aren't listed."


@dataclass
class ExecutedState:
    """A state, with the error of its last attempt if that failed. One that hasn't been left yet has no `exited`."""

    name: str
    entered: datetime
    exited: datetime | None = None
    attempts: int = 0
    error: str = ""
    cause: str = ""


def executed_states(history: Iterable[HistoryEvent]) -> list[ExecutedState]:
    """Return the states that a history tells of, in its order, without one whose beginning it doesn't have.

    It's that of a workflow whose states follow each other: none of them runs beside another.
    """
    states: list[ExecutedState] = []
    for event in history:
        kind, details = event["type"], _details(event)
        if kind.endswith("StateEntered"):
            states.append(ExecutedState(details["name"], event["timestamp"]))
        elif states:
            _follow(states[-1], kind, event["timestamp"], details)
    return states


def execution_events(history: Sequence[HistoryEvent], at: str) -> list[TranscriptEvent]:
    """Return the events that a transcript gets of a history: its last 100 states, and a notice if there were more."""
    states = executed_states(history)
    is_whole = len(states) <= STATES_LIMIT and bool(history) and history[0]["type"] == "ExecutionStarted"
    notice = NoticeEvent(kind="notice", at=at, prompt_id=None, text=_EARLIER)
    events: list[TranscriptEvent] = [] if is_whole or not states else [notice]
    return events + [_event(state, at) for state in states[-STATES_LIMIT:]]


def _follow(state: ExecutedState, kind: str, at: datetime, details: Mapping[str, Any]) -> None:
    """Take what happened in the state; what ends the execution ends the state that it was in."""
    if kind == "TaskScheduled":
        state.attempts += 1
        state.error = state.cause = ""
    elif kind.endswith("StateExited"):
        state.exited = at
    elif "error" in details:
        state.error, state.cause = details["error"], message_of(details.get("cause", ""))
    if kind in {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}:
        state.exited = state.exited or at


def _details(event: HistoryEvent) -> Mapping[str, Any]:
    """Return what's said of an event beside its type, under whichever name."""
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {})


def _event(state: ExecutedState, at: str) -> ExecutionEvent:
    cause = state.cause[:_CAUSE_LIMIT]
    left_out = len(state.cause) - len(cause)
    event = ExecutionEvent(
        kind="execution",
        at=at,
        prompt_id=None,
        state=state.name,
        entered=timestamp(state.entered),
        exited=timestamp(state.exited) if state.exited else None,
        retries=max(0, state.attempts - 1),
        error=state.error[:_ERROR_LIMIT] or None,
        cause=cause or None,
    )
    return event.model_copy(update={"cut": {"cause": left_out}}) if left_out else event
