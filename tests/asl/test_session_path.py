"""A session that goes well, from its claim to its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.asl.conftest import family_of
from tests.kit.workflow_states import WAY_TO_THE_URL

from cloud_agent.domain.session.agents import Agent

if TYPE_CHECKING:
    from tests.asl.conftest import SessionWorkflow

GOOD_PATH = [
    *WAY_TO_THE_URL,
    "Find Task",
    "Task Running?",
    "Stop Task",
    "Close Session",
    "Ended Well?",
    "Session Ended",
]


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED"])
def test_a_supervised_session_ends_as_the_answer_to_its_wait_says(
    workflow: SessionWorkflow, machine: str, status: str
) -> None:
    run = workflow.start(machine, workflow.request("works"))
    ended = workflow.finish(run, status)
    assert ended["status"] == "SUCCEEDED", ended
    assert {"status": status, "reason": "The pull request was closed."} == json.loads(ended["output"])
    assert workflow.states(run) == GOOD_PATH
    assert workflow.calls(run, "report_failure") == 0
    assert workflow.is_cleaned_up(run)
    row = workflow.row(run.session)
    assert row
    assert (status, "The pull request was closed.") == (row["status"], row["end_reason"])
    assert {"ended_at", "expires_at"} <= row.keys()
    assert "lifecycle_token" not in row


def test_the_branch_that_was_found_is_everybodys_from_then_on(workflow: SessionWorkflow, machine: str) -> None:
    run = workflow.start(machine, workflow.request("works"), create_branch={"branch": "claude-42"})
    assert workflow.finish(run)["status"] == "SUCCEEDED"
    for step in ("open_draft_pull_request", "announce_session", "close_session"):
        assert workflow.event(run, step)["session"]["branch"] == "claude-42"


def test_a_live_session_holds_its_lock_and_its_slot_and_the_row_has_no_token_in_the_clear(
    workflow: SessionWorkflow, machine: str
) -> None:
    session = workflow.request("works")
    run = workflow.start(machine, session)
    try:
        live = workflow.row_when(session, "lifecycle_token")
        assert ("RUNNING", 3000, run.arn) == (live["status"], live["port"], live["execution_arn"])
        assert session.session_id in workflow.slots()
        assert session.session_id == (workflow.lock(session) or {})["session_id"]
        (task,) = workflow.running_tasks(session)
        assert task == live["task_arn"]
        variables = workflow.variables(task)  # the base as the pull request has it, not the request
        assert (variables["BRANCH"], variables["BASE_BRANCH"]) == (session.branch, "release")
        assert len(live["token_hash"]) == 64
        assert not any(f"{session.session_id}." in str(value) for value in live.values())
    finally:
        workflow.finish(run)


@pytest.mark.parametrize("agent", Agent)
def test_a_sessions_task_is_of_its_agents_task_definition(workflow: SessionWorkflow, agent: Agent) -> None:
    definitions = {one: workflow.task_definition() for one in Agent}
    machine = workflow.machine(
        AgentTaskDefinitionFamily=family_of(definitions[Agent.STANDARD]),
        StagingAgentTaskDefinitionFamily=family_of(definitions[Agent.STAGING]),
    )
    run = workflow.start(machine, workflow.request("works", agent=agent))
    row = workflow.row_when(run.session, "lifecycle_token")
    (task,) = workflow.ecs.describe_tasks(cluster=workflow.cluster, tasks=[row["task_arn"]])["tasks"]
    assert (agent, definitions[agent]) == (row["agent"], task["taskDefinitionArn"])
    workflow.finish(run)
