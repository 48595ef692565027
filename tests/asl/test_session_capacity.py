"""RunTask that starts nothing: without capacity the session waits in the queue, for any other reason it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloud_agent.domain.policy.failures import explain
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.asl.conftest import Run, SessionWorkflow

    Json = dict[str, Any]

NO_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
NO_QUOTA = "You\u2019ve reached the limit on the number of vCPUs you can run concurrently"
TRIES = 3  # of RunTask, before the slot is returned


@pytest.fixture
def refuse(workflow: SessionWorkflow) -> Iterator[Callable[..., None]]:
    """Have the next RunTasks start nothing."""
    faults = f"{workflow.url}/_local/faults"

    def plan(reason: str, count: int = TRIES) -> None:
        httpx.post(faults, json={"kind": "no_capacity", "reason": reason, "count": count}).raise_for_status()

    yield plan
    httpx.delete(faults).raise_for_status()


def in_seconds(states: Json) -> None:
    """A slot is asked for each second, and given again a quarter of a second after the first refusal."""
    states["Wait For Slot"]["TimeoutSeconds"] = 1
    (rule, *_) = states["Run Agent"]["Catch"]
    rule["Assign"]["notBefore"] = rule["Assign"]["notBefore"].replace("60 *", "0.25 *")


def in_the_queue_again(workflow: SessionWorkflow, run: Run) -> Json:
    """The session's row, once it has returned its slot."""
    eventually(lambda: "Return Slot" in workflow.states(run))
    workflow.row_when(run.session, "start_token")
    return workflow.row(run.session) or {}


@pytest.mark.parametrize("reason", [NO_CAPACITY, NO_QUOTA])
def test_a_session_without_capacity_returns_its_slot_and_starts_when_there_is_some(
    workflow: SessionWorkflow, refuse: Callable[..., None], reason: str
) -> None:
    refuse(reason, 2 * TRIES)
    run = workflow.start(workflow.machine(edit=in_seconds), workflow.request())
    assert workflow.finish(run)["status"] == "SUCCEEDED"
    states = workflow.states(run)
    assert (states.count("Run Agent"), states.count("Return Slot")) == (3, 2)
    assert workflow.calls(run, "report_failure") == 0
    assert workflow.is_cleaned_up(run)


def test_it_waits_in_its_old_place_without_a_slot_and_nobody_behind_it_is_tried(
    workflow: SessionWorkflow, machine: str, refuse: Callable[..., None]
) -> None:
    refuse(NO_CAPACITY)
    first = workflow.start(machine, workflow.request())
    row = in_the_queue_again(workflow, first)
    second = workflow.start(machine, workflow.request())
    workflow.row_when(second.session, "start_token")
    assert (row["status"], "started_at" in row) == ("QUEUED", False)
    assert [first.session.session_id, second.session.session_id] == workflow.queue()
    assert not {first.session.session_id, second.session.session_id} & workflow.slots()
    assert workflow.answer(second, "take_slot") == {"taken": False, "place": 2}
    assert "Run Agent" not in workflow.states(second)
    workflow.note(first.session, "ending", {"status": "STOPPED", "reason": "The issue was closed."})
    workflow.sfn.send_task_failure(taskToken=row["start_token"], error="SessionEndRequestedError", cause="")
    assert workflow.ended(first)["status"] == "SUCCEEDED"
    assert workflow.is_cleaned_up(first)
    assert workflow.finish(second)["status"] == "SUCCEEDED"


def test_a_session_that_is_to_end_is_not_queued_again(workflow: SessionWorkflow, refuse: Callable[..., None]) -> None:
    """It is asked to end between the refusal and the queue."""

    def pause(states: Json) -> None:
        states["Pause"] = states["Announce Session"] | {"Next": "Return Slot"}
        states["Out Of Capacity?"]["Choices"][0]["Next"] = "Pause"

    refuse(NO_CAPACITY)
    run = workflow.start(workflow.machine(edit=pause), workflow.request(), announce_session={"wait_for": "ending"})
    eventually(lambda: "Pause" in workflow.states(run))
    workflow.note(run.session, "ending", {"status": "STOPPED", "reason": "The issue was closed."})
    assert workflow.ended(run)["status"] == "SUCCEEDED"
    assert "Wait For Slot" not in workflow.states(run)
    assert (workflow.row(run.session) or {})["status"] == "STOPPED"
    assert workflow.is_cleaned_up(run)


def test_after_a_day_without_capacity_the_session_fails_in_words_about_it(
    workflow: SessionWorkflow, refuse: Callable[..., None]
) -> None:
    def no_time(states: Json) -> None:
        states["Prepare Session"]["Assign"]["queuedUntil"] = "{% $millis() %}"

    refuse(NO_QUOTA)
    run = workflow.start(workflow.machine(edit=no_time), workflow.request())
    assert workflow.ended(run)["status"] == "FAILED"
    reported = workflow.reported(run)
    assert "quota of Fargate vCPUs" in explain(reported.state, reported.error, reported.cause).what
    assert "Return Slot" not in workflow.states(run)
    assert workflow.is_cleaned_up(run)


def test_any_other_reason_fails_the_session(
    workflow: SessionWorkflow, machine: str, refuse: Callable[..., None]
) -> None:
    refuse("MISSING")
    run = workflow.start(machine, workflow.request())
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert (ended["status"], ended["error"], reported.cause) == ("FAILED", "ECS.AmazonECSException", "MISSING")
    assert "Return Slot" not in workflow.states(run)
    assert workflow.is_cleaned_up(run)
