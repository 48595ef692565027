"""The way down has failures of its own: whatever fails there, the execution ends and the rest is still done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.asl.conftest import SessionWorkflow

DOMAIN_ERROR = {"errors": ["RepositoryReadOnlyError"] * 99}


def break_find_task(states: dict[str, Any]) -> None:
    states["Find Task"]["Arguments"]["TableName"] = "{% $error('as asked') %}"


def break_stop_task(states: dict[str, Any]) -> None:
    states["Stop Task"]["Arguments"]["Task"] = "missing"


def stop_by_hand(workflow: SessionWorkflow, tasks: list[str]) -> None:
    for task in tasks:
        workflow.ecs.stop_task(cluster=workflow.cluster, task=task)


def test_a_failure_that_cannot_be_reported_is_still_cleaned_up_after(workflow: SessionWorkflow, machine: str) -> None:
    run = workflow.start(
        machine, workflow.request(), announce_session=DOMAIN_ERROR, report_failure={"errors": ["KeyError"]}
    )
    ended = workflow.ended(run)
    assert (ended["status"], ended["error"]) == ("FAILED", "RepositoryReadOnlyError")
    assert "announce_session fails as asked" in ended["cause"]
    row = workflow.row(run.session)
    assert row
    words = (
        "The repository is archived, or the GitHub App doesn't have write access"  # for whoever opens the session's URL
    )
    assert ("FAILED", words) == (row["status"], row["end_reason"])
    assert "Stop Task" in workflow.states(run)
    assert workflow.is_cleaned_up(run)


def test_a_task_is_stopped_that_no_callback_has_named(workflow: SessionWorkflow) -> None:
    """ECS's events have: the session fails before its agent says a word."""
    machine = workflow.machine(AgentReadyTimeoutSeconds="2", AgentHeartbeatTimeoutSeconds="1")
    run = workflow.start(machine, workflow.request("is-silent"))
    row = workflow.row_when(run.session, "ip")
    assert (row["status"], workflow.running_tasks(run.session)) == ("STARTING", [row["task_arn"]])
    assert workflow.ended(run)["error"] == "States.HeartbeatTimeout"
    assert workflow.is_cleaned_up(run)


def test_a_task_that_cannot_be_found_does_not_keep_the_session_open(workflow: SessionWorkflow) -> None:
    run = workflow.start(workflow.machine(edit=break_find_task), workflow.request())
    assert workflow.finish(run)["status"] == "SUCCEEDED"
    assert workflow.states(run)[-4:] == ["Find Task", "Close Session", "Ended Well?", "Session Ended"]
    assert (workflow.row(run.session) or {})["status"] == "COMPLETED"
    stop_by_hand(workflow, workflow.running_tasks(run.session))
    assert workflow.is_cleaned_up(run)


def test_a_task_that_cannot_be_stopped_does_not_keep_the_session_open(workflow: SessionWorkflow) -> None:
    run = workflow.start(workflow.machine(edit=break_stop_task), workflow.request(), announce_session=DOMAIN_ERROR)
    ended = workflow.ended(run)
    assert (ended["status"], ended["error"]) == ("FAILED", "RepositoryReadOnlyError")
    assert workflow.states(run)[-4:] == ["Stop Task", "Close Session", "Ended Well?", "Session Failed"]
    assert (workflow.row(run.session) or {})["status"] == "FAILED"
    stop_by_hand(workflow, workflow.running_tasks(run.session))
    assert workflow.is_cleaned_up(run)


def test_a_close_that_fails_for_good_fails_the_execution_by_its_own_error(
    workflow: SessionWorkflow, machine: str
) -> None:
    run = workflow.start(machine, workflow.request(), close_session={"errors": ["GitHubUnavailableError"] * 99})
    ended = workflow.finish(run)
    assert (ended["status"], ended["error"]) == ("FAILED", "GitHubUnavailableError")
    assert "close_session fails as asked" in ended["cause"]
    assert workflow.states(run)[-2:] == ["Close Session", "Session Failed"]
    assert workflow.calls(run, "close_session") == 6
    assert workflow.running_tasks(run.session) == []


def test_the_reason_of_a_stop_is_seen_on_the_task(workflow: SessionWorkflow, machine: str) -> None:
    run = workflow.start(machine, workflow.request())
    workflow.finish(run)
    task = (workflow.row(run.session) or {})["task_arn"]
    described = workflow.ecs.describe_tasks(cluster=workflow.cluster, tasks=[task])["tasks"][0]
    assert described["stoppedReason"] == "Session over: The pull request was closed."
