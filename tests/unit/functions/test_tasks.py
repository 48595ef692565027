"""The agent's task as ECS knows it."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_agent.adapters.aws.tasks import Tasks
from cloud_agent.domain.errors import TaskNotRunningError
from cloud_agent.domain.session.session import Session

if TYPE_CHECKING:
    from tests.unit.functions.aws_stand_in import Ecs

FAMILY = "claude-cloud-agent-agent"
ID = "09e22a8b"


@pytest.fixture
def tasks(aws: None, ecs: Ecs) -> Tasks:
    return Tasks("arn:aws:ecs:us-east-1:123456789012:cluster/test", [FAMILY])


def session(**attributes: str) -> Session:
    """Its row, as far as it is asked for."""
    return Session.model_validate(
        {
            "session_id": ID,
            "status": "STARTING",
            "repository_id": 1,
            "repo": "acme/storefront",
            "issue_number": 42,
            "issue_key": "42",
            "branch": "claude/42",
            "token_hash": "",
            "execution_arn": "arn",
            "created_at": "now",
            **attributes,
        }
    )


def test_the_address_is_that_of_the_sessions_own_task(tasks: Tasks, ecs: Ecs) -> None:
    ecs.add("other", "0badcafe", 2, "10.0.2.9")
    arn = ecs.add("own", ID, 1, "10.0.2.133")
    task = tasks.find(session())
    assert (arn, "10.0.2.133") == (task.taskArn, task.ip)


def test_the_task_that_the_row_names_is_taken_though_another_is_newer(tasks: Tasks, ecs: Ecs) -> None:
    named = ecs.add("named", ID, 1, "10.0.2.133")
    ecs.add("newer", ID, 2, "10.0.2.134")
    assert tasks.find(session(task_arn=named)).taskArn == named


@pytest.mark.parametrize("status", ["PENDING", "STOPPED"])
def test_where_the_named_task_does_not_run_the_sessions_group_is_searched(tasks: Tasks, ecs: Ecs, status: str) -> None:
    named = ecs.add("named", ID, 1, "10.0.2.133", status)
    found = ecs.add("found", ID, 2, "10.0.2.134")
    assert {found} == {tasks.find(session(task_arn=arn)).taskArn for arn in (named, f"{named}0")}


def test_of_two_tasks_the_newest_is_taken(tasks: Tasks, ecs: Ecs) -> None:
    ecs.add("b", ID, 3, "10.0.2.3")
    ecs.add("a", ID, 2, "10.0.2.2")
    assert tasks.find(session()).ip == "10.0.2.3"


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "DEACTIVATING", "STOPPED"])
def test_a_task_that_does_not_run_is_not_taken(tasks: Tasks, ecs: Ecs, status: str) -> None:
    ecs.add("a", ID, 1, "10.0.2.2")
    ecs.add("b", ID, 2, "10.0.2.3", status)
    assert tasks.find(session()).ip == "10.0.2.2"
    ecs.tasks.pop(0)
    with pytest.raises(TaskNotRunningError, match="no task that is running"):
        tasks.find(session())


def test_a_session_without_a_task_is_named(tasks: Tasks) -> None:
    with pytest.raises(TaskNotRunningError, match=ID):
        tasks.find(session())


def test_a_task_without_an_address_is_named(tasks: Tasks, ecs: Ecs) -> None:
    arn = ecs.add("a", ID, 1, None)
    with pytest.raises(TaskNotRunningError, match=arn):
        tasks.find(session())


def test_every_task_of_the_family_that_is_meant_to_run_is_found(tasks: Tasks, ecs: Ecs) -> None:
    arns = [ecs.add(f"task-{number}", ID, number, None, "PROVISIONING") for number in range(250)]
    ecs.tasks[3]["desiredStatus"] = "STOPPED"
    ecs.tasks[4]["family"] = "claude-cloud-agent-proxy"
    started = tasks.started()
    assert [arn for arn in arns if arn not in arns[3:5]] == [task.taskArn for task in started]
    assert (started[0].session_id, started[0].createdAt.timestamp()) == (ID, 0.0)


def test_no_task_is_no_error(tasks: Tasks, ecs: Ecs) -> None:
    assert tasks.started() == []
    assert tasks.stopped([]) == {}
    tasks.stop_all(ID, "over")
    assert ecs.stopped == []


def test_a_stopped_task_is_told_in_ecss_words_and_one_that_still_stops_is_not(tasks: Tasks, ecs: Ecs) -> None:
    running, stopping, stopped = (ecs.add(name, ID, 1, "10.0.2.2", name) for name in ("RUNNING", "STOPPING", "STOPPED"))
    ecs.tasks[2] |= {"stoppedReason": "Essential container in task exited", "containers": [{"exitCode": 137}]}
    forgotten = running + "0"
    assert {
        stopped: "Essential container in task exited; exit code 137",
        forgotten: "ECS no longer knows the task",
    } == tasks.stopped([running, stopping, stopped, forgotten])


def test_all_tasks_of_a_session_are_stopped_and_no_others(tasks: Tasks, ecs: Ecs) -> None:
    own = [ecs.add(name, ID, 1, None) for name in ("a", "b")]
    ecs.add("other", "0badcafe", 1, None)
    tasks.stop_all(ID, "x" * 300)
    assert [(arn, "x" * 255) for arn in own] == ecs.stopped
