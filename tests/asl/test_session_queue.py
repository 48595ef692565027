"""Take Slot and Wait For Slot: first come, first served, and whoever is next is woken at once.

Wait For Slot looks by itself only after minutes, which no test waits for: what starts here in time was woken, unless
the test says otherwise.
"""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.asl.conftest import Run, SessionWorkflow

    Json = dict[str, Any]

ENDING = {"status": "STOPPED", "reason": "The issue was closed."}


@pytest.fixture
def somebody(workflow: SessionWorkflow) -> Iterator[list[str]]:
    """As many as there are slots; what they hold is free after the test."""
    yield [f"somebody-{number}" for number in range(workflow.slot_limits.sessions)]
    workflow.hold_slots()


@pytest.fixture
def one_free_slot(workflow: SessionWorkflow, somebody: list[str]) -> None:
    """Somebody holds every slot but one."""
    workflow.hold_slots(*somebody[1:])


@pytest.fixture
def no_free_slot(workflow: SessionWorkflow, somebody: list[str]) -> None:
    """Somebody holds every slot."""
    workflow.hold_slots(*somebody)


@pytest.fixture
def queued(workflow: SessionWorkflow, machine: str) -> Callable[..., Run]:
    """Start a session and return when it waits for a slot."""

    def start(repo: str = "acme/works") -> Run:
        run = workflow.start(machine, workflow.request(repo=repo))
        workflow.row_when(run.session, "start_token")
        return run

    return start


def look_after_a_second(states: Json) -> None:
    states["Wait For Slot"]["TimeoutSeconds"] = 1


def pause_before_the_wait(states: Json) -> None:
    """For as long as the script of Announce Session says."""
    states["Pause"] = states["Announce Session"] | {"Next": "Wait For Slot"}
    states["Slot Taken?"]["Default"] = "Pause"


def two_waits(states: Json) -> None:
    look_after_a_second(states)
    queued_until = states["Prepare Session"]["Assign"]["queuedUntil"]
    states["Prepare Session"]["Assign"]["queuedUntil"] = queued_until.replace("86400000", "1500")


def end_in_the_queue(workflow: SessionWorkflow, run: Run) -> None:
    """What the webhook does for a session that is parked: the note first, and then the word."""
    workflow.note(run.session, "ending", ENDING)
    token = (workflow.row(run.session) or {})["start_token"]
    workflow.sfn.send_task_failure(taskToken=token, error="SessionEndRequestedError", cause=ENDING["reason"])


def assert_ended_as_asked(workflow: SessionWorkflow, run: Run) -> None:
    assert workflow.ended(run)["status"] == "SUCCEEDED"
    row = workflow.row(run.session) or {}
    assert (ENDING["status"], ENDING["reason"]) == (row["status"], row["end_reason"])
    assert "Run Agent" not in workflow.states(run)
    assert workflow.calls(run, "report_failure") == 0
    assert workflow.is_cleaned_up(run)


def test_who_came_first_starts_first_and_each_end_starts_the_next(
    workflow: SessionWorkflow, machine: str, one_free_slot: None, queued: Callable[..., Run], somebody: list[str]
) -> None:
    runs = [workflow.start(machine, workflow.request())]
    workflow.row_when(runs[0].session, "lifecycle_token")
    runs += [queued() for _ in range(3)]
    ids = [run.session.session_id for run in runs]
    for place, run in enumerate(runs):
        row = workflow.row_when(run.session, "lifecycle_token")
        assert ids[place + 1 :] == workflow.queue()
        assert {ids[place]} == workflow.slots() - set(somebody)
        assert row["created_at"] < row["started_at"]
        assert workflow.finish(run)["status"] == "SUCCEEDED"
    assert [workflow.calls(run, "take_slot") for run in runs] == [1, 2, 2, 2]


def test_whoever_waits_is_told_its_place(
    workflow: SessionWorkflow, no_free_slot: None, queued: Callable[..., Run], somebody: list[str]
) -> None:
    runs = [queued() for _ in range(2)]
    assert [{"taken": False, "place": place} for place in (1, 2)] == [workflow.answer(run, "take_slot") for run in runs]
    workflow.free_slot(somebody[0])
    end_in_the_queue(workflow, runs[0])
    workflow.finish(runs[1])
    assert workflow.answer(runs[1], "take_slot") == {"taken": True, "place": None}


def test_a_repository_at_its_limit_does_not_hold_up_another(
    workflow: SessionWorkflow, machine: str, queued: Callable[..., Run], somebody: list[str]
) -> None:
    workflow.hold_slots(*somebody[: workflow.slot_limits.sessions_per_repository], repo="busy/works")
    held_up = queued("busy/works")
    other = workflow.start(machine, workflow.request(repo="idle/works"))
    workflow.row_when(other.session, "lifecycle_token")
    assert [held_up.session.session_id] == workflow.queue()
    workflow.finish(other)
    assert [held_up.session.session_id] == workflow.queue()
    workflow.free_slot(somebody[0])
    workflow.finish(workflow.start(machine, workflow.request(repo="idle/works")))
    assert workflow.finish(held_up)["status"] == "SUCCEEDED"


def test_a_session_that_is_asked_to_end_while_it_waits_ends_at_once_and_leaves_its_place(
    workflow: SessionWorkflow, no_free_slot: None, queued: Callable[..., Run]
) -> None:
    first, second = queued(), queued()
    end_in_the_queue(workflow, first)
    assert_ended_as_asked(workflow, first)
    assert [second.session.session_id] == workflow.queue()
    end_in_the_queue(workflow, second)
    assert_ended_as_asked(workflow, second)


def test_a_session_that_is_asked_to_end_before_it_has_asked_for_a_slot_gets_none(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request(), create_branch={"wait_for": "ending"})
    workflow.row_when(run.session, "status")
    workflow.note(run.session, "ending", ENDING)
    assert_ended_as_asked(workflow, run)
    assert "Take Slot" in workflow.states(run)


def test_a_session_that_is_asked_to_end_just_before_it_waits_is_not_parked(
    workflow: SessionWorkflow, no_free_slot: None
) -> None:
    machine = workflow.machine(edit=pause_before_the_wait)
    run = workflow.start(machine, workflow.request(), announce_session={"wait_for": "ending"})
    eventually(lambda: "Pause" in workflow.states(run))
    workflow.note(run.session, "ending", ENDING)
    assert_ended_as_asked(workflow, run)
    assert "Wait For Slot" in workflow.states(run)


def test_a_slot_that_is_given_just_before_the_wait_is_not_missed(
    workflow: SessionWorkflow, machine: str, no_free_slot: None, somebody: list[str]
) -> None:
    pausing = workflow.machine(edit=pause_before_the_wait)
    run = workflow.start(pausing, workflow.request(), announce_session={"wait_for": "started_at"})
    eventually(lambda: "Pause" in workflow.states(run))
    for holder in somebody[:2]:
        workflow.free_slot(holder)
    giver = workflow.start(machine, workflow.request())
    assert workflow.finish(run)["status"] == "SUCCEEDED"
    assert (workflow.states(run)[4:11]) == [
        "Take Slot",
        "Slot Taken?",
        "Pause",
        "Wait For Slot",
        "Take Slot",
        "Slot Taken?",
        "Run Agent",
    ]
    workflow.finish(giver)


def test_a_slot_may_be_given_while_the_branch_is_still_being_made(workflow: SessionWorkflow, machine: str) -> None:
    run = workflow.start(machine, workflow.request(), create_branch={"wait_for": "seen"})
    assert workflow.row_when(run.session, "status")["status"] == "QUEUED"
    giver = workflow.start(machine, workflow.request())
    assert workflow.row_when(run.session, "started_at")["status"] == "STARTING"
    workflow.note(run.session, "seen")
    for each in (run, giver):
        assert workflow.finish(each)["status"] == "SUCCEEDED"
        assert "Wait For Slot" not in workflow.states(each)
        assert workflow.is_cleaned_up(each)


def test_a_slot_of_which_nobody_told_is_found_when_the_wait_is_over(
    workflow: SessionWorkflow, no_free_slot: None, somebody: list[str]
) -> None:
    run = workflow.start(workflow.machine(edit=look_after_a_second), workflow.request())
    workflow.row_when(run.session, "start_token")
    workflow.free_slot(somebody[0])
    assert workflow.finish(run)["status"] == "SUCCEEDED"
    assert workflow.is_cleaned_up(run)


def test_a_session_that_never_gets_a_slot_is_reported_after_its_waits(
    workflow: SessionWorkflow, no_free_slot: None, somebody: list[str]
) -> None:
    run = workflow.start(workflow.machine(edit=two_waits), workflow.request())
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert (ended["status"], ended["error"]) == ("FAILED", "NoFreeSlotError")
    assert (reported.state, reported.error) == ("Take Slot", "NoFreeSlotError")
    assert workflow.states(run).count("Wait For Slot") in {1, 2}
    assert workflow.is_cleaned_up(run)
    assert set(somebody) == workflow.slots()


def test_a_session_that_fails_in_the_queue_leaves_its_place(workflow: SessionWorkflow, no_free_slot: None) -> None:
    run = workflow.start(
        workflow.machine(), workflow.request(), open_draft_pull_request={"errors": ["GitHubRequestError"]}
    )
    assert workflow.ended(run)["status"] == "FAILED"
    assert workflow.is_cleaned_up(run)
