"""How far a session or a request has come, as its page lists it."""

from __future__ import annotations

import pytest

from cloud_agent_proxy.probe import Finding
from cloud_agent_proxy.session import Session
from cloud_agent_proxy.steps import StepState, broken_hop, steps_of_probe, steps_of_start

BRANCHED = {"initial_sha": "1f2e3d"}
OPENED = {**BRANCHED, "pull_number": 7}
REPORTED = {**OPENED, "status": "STARTING", "start_token": "made-up"}


def session(**fields: object) -> Session:
    return Session.model_validate({"id": "09e22a8b", "status": "QUEUED", **fields})


@pytest.mark.parametrize(
    ("row", "current"),
    [
        ({}, "Creating the branch"),
        (BRANCHED, "Opening the pull request"),
        (OPENED, "Waiting for capacity"),
        ({**OPENED, "start_token": "of the wait for a slot"}, "Waiting for capacity"),
        ({**OPENED, "status": "STARTING"}, "Starting the container"),
        (REPORTED, "Connecting"),
        ({"pull_number": 7}, "Waiting for capacity"),  # a branch that was there already leaves no mark of its making
    ],
)
def test_the_row_tells_which_step_a_session_is_in(row: dict[str, object], current: str) -> None:
    steps = steps_of_start(session(**row))
    names = [step.name for step in steps]
    place = names.index(current)
    assert [StepState.DONE] * place == [step.state for step in steps[:place]]
    assert steps[place].state == StepState.CURRENT
    assert {StepState.TO_COME} >= {step.state for step in steps[place + 1 :]}


def test_the_token_of_a_start_is_not_kept() -> None:
    assert "made-up" not in repr(session(**REPORTED))


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (None, ""),
        (Finding.RESPONDS, ""),
        (Finding.REFUSED, "The dev server isn't listening: the container refuses connections on port 3000."),
        (Finding.CLOSED, "The dev server isn't listening: the container closes connections to port 3000."),
        (Finding.UNREACHABLE, "The container isn't responding; it may have just stopped."),
        (Finding.SILENT, "The dev server accepts connections, but doesn't respond within 2 s."),
        (Finding.NONSENSE, "The dev server responds on port 3000, but not with HTTP."),
        (Finding.NO_ADDRESS, "The container has no address to connect to."),
    ],
)
def test_the_broken_hop_is_named_in_a_sentence(finding: Finding | None, sentence: str) -> None:
    assert sentence == broken_hop(steps_of_probe(finding, 3000))
