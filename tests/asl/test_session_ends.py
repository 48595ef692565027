"""A session that somebody asks to end has not failed, whichever state it is in when it is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from tests.asl.conftest import Run, SessionWorkflow

ENDING = {"status": "COMPLETED", "reason": "The pull request was merged."}


def assert_ended_as_asked(workflow: SessionWorkflow, run: Run) -> None:
    ended = workflow.ended(run)
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"]) == ENDING
    assert workflow.calls(run, "report_failure") == 0
    row = workflow.row(run.session) or {}
    assert (ENDING["status"], ENDING["reason"]) == (row["status"], row["end_reason"])
    assert workflow.is_cleaned_up(run)


def test_a_session_that_is_asked_to_end_while_its_agent_starts_ends_at_once(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request("is-never-ready"))
    (task,) = eventually(lambda: workflow.running_tasks(run.session))
    workflow.row_when(run.session, "task_arn")  # one that no event has reported is left to the reconciler
    workflow.note(run.session, "ending", ENDING)
    workflow.sfn.send_task_failure(
        taskToken=workflow.task_token(task), error="SessionEndRequestedError", cause=ENDING["reason"]
    )
    assert_ended_as_asked(workflow, run)
    assert "Stop Task" in workflow.states(run)


def test_an_agent_that_obeys_the_end_before_it_was_ready_has_not_failed(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request("is-never-ready"))
    (task,) = eventually(lambda: workflow.running_tasks(run.session))
    workflow.note(run.session, "ending", ENDING)
    workflow.ecs.stop_task(cluster=workflow.cluster, task=task)
    assert_ended_as_asked(workflow, run)


def test_a_session_that_is_asked_to_end_between_its_waits_is_not_parked(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request(), announce_session={"wait_for": "ending"})
    workflow.row_when(run.session, "ip")
    workflow.note(run.session, "ending", ENDING)
    assert_ended_as_asked(workflow, run)
    assert "Supervise Session" in workflow.states(run)


def test_a_step_that_fails_in_a_session_that_is_to_end_anyway_is_no_failure(
    workflow: SessionWorkflow, machine: str
) -> None:
    script = {"wait_for": "ending", "errors": ["RepositoryNotFoundError"] * 99}
    run = workflow.start(machine, workflow.request(), create_branch=script)
    workflow.row_when(run.session, "status")
    workflow.note(run.session, "ending", ENDING)
    assert_ended_as_asked(workflow, run)
