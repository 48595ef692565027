"""Lists of what comes after what, and where things stand: a session's start, and a request's way to the dev server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cloud_agent_proxy.probe import Finding
from cloud_agent_proxy.session import Session, SessionStatus


class StepState(StrEnum):
    """Where a step stands."""

    DONE = "done"
    CURRENT = "current"
    FAILED = "failed"
    TO_COME = "to come"


@dataclass(frozen=True)
class Step:
    """One line of such a list."""

    name: str
    state: StepState
    detail: str


def steps_of_start(session: Session) -> tuple[Step, ...]:
    """Return the states that the workflow takes a session through, by its names for them (session.asl.json).

    A step is behind the session when its own mark is in the row, or that of any later step: not every one leaves its
    mark each time.
    """
    started = session.status is not SessionStatus.QUEUED
    marks = (
        ("Create Branch", "", session.initial_sha is not None),
        ("Open Draft Pull Request", "", session.pull_number is not None),
        ("Take Slot", "waits for a free one", started),
        ("Run Agent: container", "starts, clones the branch", started and session.container_reported),
        ("Run Agent: dev server", "is installed and started", started and session.dev_server.answering),
        ("Register IP", "this address then leads to it", session.ip is not None),
    )
    behind = max((number for number, (_, _, marked) in enumerate(marks, 1) if marked), default=0)
    return (
        *(Step(name, StepState.DONE, "") for name, _, _ in marks[:behind]),
        *(Step(name, StepState.CURRENT, detail) for name, detail, _ in marks[behind : behind + 1]),
        *(Step(name, StepState.TO_COME, "") for name, _, _ in marks[behind + 1 :]),
    )


_UP, _UNASKED = (StepState.DONE, "is up"), (StepState.TO_COME, "cannot be asked")
_HOPS = {
    None: ((StepState.CURRENT, "is being asked"), (StepState.TO_COME, "is asked next")),
    Finding.ANSWERS: (_UP, (StepState.DONE, "answers")),
    Finding.REFUSED: (_UP, (StepState.FAILED, "is not listening: the container refuses connections on port {port}")),
    Finding.UNREACHABLE: ((StepState.FAILED, "does not answer: it may have just stopped"), _UNASKED),
    Finding.CLOSED: (_UP, (StepState.FAILED, "is not listening: the container closes connections to port {port}")),
    Finding.SILENT: (_UP, (StepState.FAILED, "accepts the connection, but sends no answer within 2 s")),
    Finding.NONSENSE: (_UP, (StepState.FAILED, "answers on port {port}, but not in HTTP")),
    Finding.NO_ADDRESS: ((StepState.FAILED, "has no address that visitors could be sent to"), _UNASKED),
}


def steps_of_probe(finding: Finding | None, port: int | None = None) -> tuple[Step, ...]:
    """Return the hops of a request that has reached the proxy; without a finding they are still to be tried."""
    hops = zip(("Container", "Dev server"), _HOPS[finding], strict=True)
    return (
        Step("Proxy", StepState.DONE, "has your request"),
        *(Step(name, state, detail.format(port=port)) for name, (state, detail) in hops),
    )


def broken_hop(steps: tuple[Step, ...]) -> str:
    """Return what has failed, in a sentence; nothing if nothing has."""
    failed = [step for step in steps if step.state is StepState.FAILED]
    return f"The {failed[0].name.lower()} {failed[0].detail}." if failed else ""
