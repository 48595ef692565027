"""What becomes of a session whose container does not do its part: the wait it leaves ends at once or in time."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from tests.asl.conftest import Run, SessionWorkflow

STOPPED_NOTE = {"wait_for": "task_stopped_reason"}


def assert_failed(workflow: SessionWorkflow, run: Run, state: str, error: str, cause: str = "") -> None:
    ended = workflow.ended(run)
    assert ("FAILED", error) == (ended["status"], ended["error"]), ended
    reported = workflow.reported(run)
    assert (state, error) == (reported.state, reported.error)
    assert cause in reported.cause
    row = workflow.row(run.session)
    assert row
    assert (row["status"], row["end_reason"]) == ("FAILED", "It failed, in plain words.")
    assert workflow.is_cleaned_up(run)


def test_a_task_whose_image_cannot_be_pulled_fails_the_session_at_once(workflow: SessionWorkflow) -> None:
    run = workflow.start(workflow.machine(image="example/missing:1"), workflow.request())
    assert_failed(workflow, run, "Run Agent", "AgentTaskStoppedError", "CannotPullContainerError")


def test_a_task_that_ecs_refuses_to_start_fails_the_session_at_once(workflow: SessionWorkflow) -> None:
    run = workflow.start(workflow.machine(AgentTaskDefinitionFamily="missing"), workflow.request())
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert ended["error"].startswith("ECS."), ended
    assert ("Run Agent", ended["error"]) == (reported.state, reported.error)
    assert workflow.is_cleaned_up(run)


def test_a_container_that_exits_before_it_is_ready_fails_the_session_at_once(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request("exits-before-ready"))
    cause = "Essential container in task exited; exit code 3"
    assert_failed(workflow, run, "Run Agent", "AgentTaskStoppedError", cause)


def test_a_container_whose_end_nobody_hears_of_fails_the_session_after_the_heartbeat_interval(
    workflow: SessionWorkflow,
) -> None:
    machine = workflow.machine(ClusterArn=workflow.deaf_cluster, AgentHeartbeatTimeoutSeconds="1")
    run = workflow.start(machine, workflow.request("exits-before-ready"))
    assert_failed(workflow, run, "Run Agent", "States.HeartbeatTimeout")


def test_an_agent_that_is_never_seen_is_stopped(workflow: SessionWorkflow) -> None:
    run = workflow.start(workflow.machine(AgentHeartbeatTimeoutSeconds="1"), workflow.request("is-silent"))
    assert_failed(workflow, run, "Run Agent", "States.HeartbeatTimeout")
    assert "Stop Task" in workflow.states(run)


def test_an_agent_that_is_not_ready_in_time_is_stopped(workflow: SessionWorkflow) -> None:
    run = workflow.start(workflow.machine(AgentReadyTimeoutSeconds="2"), workflow.request("is-never-ready"))
    assert_failed(workflow, run, "Run Agent", "States.Timeout")
    assert "Stop Task" in workflow.states(run)


def test_an_agent_that_gives_up_before_it_is_ready_is_reported_in_its_own_words(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request("fails-before-ready"))
    assert_failed(workflow, run, "Run Agent", "RepositoryConfigError", "npm ERR! code ERESOLVE")
    assert "Stop Task" in workflow.states(run)


def test_a_container_that_stops_before_its_address_is_registered_fails_the_session(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request("exits-once-ready"), register_ip=STOPPED_NOTE)
    assert_failed(workflow, run, "Register IP", "TaskNotRunningError")


def test_a_container_that_stops_between_the_two_waits_is_not_waited_for(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request("exits-once-registered"), announce_session=STOPPED_NOTE)
    assert_failed(workflow, run, "Supervise Session", "AgentTaskStoppedError", "before the session could be supervised")


def test_a_container_that_stops_while_supervised_fails_the_session_at_once(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request("exits-once-supervised"))
    assert_failed(workflow, run, "Supervise Session", "AgentTaskStoppedError", "exit code 3")


def test_an_agent_that_falls_silent_while_supervised_is_stopped(workflow: SessionWorkflow) -> None:
    def short_heartbeat(states: dict[str, Any]) -> None:
        states["Supervise Session"]["HeartbeatSeconds"] = 1

    run = workflow.start(workflow.machine(edit=short_heartbeat), workflow.request("falls-silent"))
    assert_failed(workflow, run, "Supervise Session", "States.HeartbeatTimeout")
    assert "Stop Task" in workflow.states(run)


def test_a_session_of_the_maximum_age_is_stopped_and_has_not_failed(workflow: SessionWorkflow) -> None:
    run = workflow.start(workflow.machine(MaxSessionAgeSeconds="2"), workflow.request())
    ended = workflow.ended(run)
    ending = {"status": "STOPPED", "reason": "The session reached its maximum age."}
    assert ("SUCCEEDED", ending) == (ended["status"], json.loads(ended["output"]))
    assert "Stop Task" in workflow.states(run)
    assert workflow.calls(run, "report_failure") == 0
    assert (workflow.row(run.session) or {})["status"] == "STOPPED"
    assert workflow.is_cleaned_up(run)


def test_an_agent_that_says_nonsense_instead_of_its_port_fails_the_session(
    workflow: SessionWorkflow, machine: str
) -> None:
    answers = ['"text"', "{}", '{"port": "http"}', '{"port": 22}']
    runs = [workflow.start(machine, workflow.request("is-never-ready")) for _ in answers]
    for run, answer in zip(runs, answers, strict=True):
        (task,) = eventually(partial(workflow.running_tasks, run.session))
        workflow.sfn.send_task_success(taskToken=workflow.task_token(task), output=answer)
    for run, answer in zip(runs, answers, strict=True):
        assert workflow.ended(run)["status"] == "FAILED", answer
        assert workflow.reported(run).state in {"Run Agent", "Register IP"}
        assert workflow.is_cleaned_up(run)
