"""Checklists of a session's start and of a request's way to the dev server, as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cloud_agent_proxy.probe import Finding
from cloud_agent_proxy.session import Session, SessionStatus


class StepState(StrEnum):
    """How far a step is."""

    DONE = "done"
    CURRENT = "current"
    FAILED = "failed"
    TO_COME = "to come"


@dataclass(frozen=True)
class Step:
    """One line of a checklist."""

    name: str
    state: StepState
    detail: str


def steps_of_start(session: Session) -> tuple[Step, ...]:
    """Return the steps of a session's start, from its row.

    A step is done when its own mark is in the row, or that of any later step: not every one leaves its mark each time.
    """
    started = session.status is not SessionStatus.QUEUED
    marks = (
        ("Creating the branch", "", session.initial_sha is not None),
        ("Opening the pull request", "", session.pull_number is not None),
        ("Waiting for capacity", "", started),
        ("Starting the container", "can take a minute or two", started and session.container_reported),
        ("Connecting", "", session.port is not None),
    )
    done = max((number for number, (_, _, marked) in enumerate(marks, 1) if marked), default=0)
    return (
        *(Step(name, StepState.DONE, "") for name, _, _ in marks[:done]),
        *(Step(name, StepState.CURRENT, detail) for name, detail, _ in marks[done : done + 1]),
        *(Step(name, StepState.TO_COME, "") for name, _, _ in marks[done + 1 :]),
    )


_UP, _UNCHECKED = (StepState.DONE, "is running"), (StepState.TO_COME, "can't be checked")
_HOPS = {
    None: ((StepState.CURRENT, "is being checked"), (StepState.TO_COME, "is checked next")),
    Finding.RESPONDS: (_UP, (StepState.DONE, "is responding")),
    Finding.REFUSED: (_UP, (StepState.FAILED, "isn't listening: the container refuses connections on port {port}")),
    Finding.UNREACHABLE: ((StepState.FAILED, "isn't responding; it may have just stopped"), _UNCHECKED),
    Finding.CLOSED: (_UP, (StepState.FAILED, "isn't listening: the container closes connections to port {port}")),
    Finding.SILENT: (_UP, (StepState.FAILED, "accepts connections, but doesn't respond within 2 s")),
    Finding.NONSENSE: (_UP, (StepState.FAILED, "responds on port {port}, but not with HTTP")),
    Finding.NO_ADDRESS: ((StepState.FAILED, "has no address to connect to"), _UNCHECKED),
}


def steps_of_probe(finding: Finding | None, port: int | None = None) -> tuple[Step, ...]:
    """Return the hops of a request that has reached the proxy; without a finding they are still to be checked."""
    hops = zip(("Container", "Dev server"), _HOPS[finding], strict=True)
    return (
        Step("Proxy", StepState.DONE, "received your request"),
        *(Step(name, state, detail.format(port=port)) for name, (state, detail) in hops),
    )


def broken_hop(steps: tuple[Step, ...]) -> str:
    """Return which hop fails, in a sentence; nothing if none does."""
    failed = [step for step in steps if step.state is StepState.FAILED]
    return f"The {failed[0].name.lower()} {failed[0].detail}." if failed else ""
