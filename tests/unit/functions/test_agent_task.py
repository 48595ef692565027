"""What ECS says of a session's task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent.domain.session.agent_task import AgentTask, task_group

if TYPE_CHECKING:
    from collections.abc import Callable

BARE = {"taskArn": "arn", "version": 1, "createdAt": "2026-11-22T08:00:12.031Z", "lastStatus": "STOPPED"}


@pytest.fixture
def task(sample: Callable[[str], dict[str, Any]]) -> AgentTask:
    return AgentTask.model_validate(sample("task_events/container_exited.json")["detail"])


def test_the_group_tells_whose_task_it_is(task: AgentTask) -> None:
    assert task.session_id == "6020583d"
    assert task_group("6020583d") == task.group
    for other in ("", "service:proxy", "family:claude-cloud-agent-agent", "sessions:6020583d"):
        assert task.model_copy(update={"group": other}).session_id is None


def test_the_address_is_the_network_interfaces(task: AgentTask) -> None:
    assert task.ip == "10.0.2.133"
    assert task.model_copy(update={"attachments": ()}).ip is None


def test_the_overrides_hold_what_the_container_was_given(task: AgentTask) -> None:
    assert task.variable("SESSION_ID") == "6020583d"
    assert task.variable("TASK_TOKEN")
    assert task.variable("AWS_REGION") is None


def test_reason_and_exit_code_become_one_sentence(task: AgentTask) -> None:
    expected = (
        "Essential container in task exited; OutOfMemoryError: Container killed due to memory usage; exit code 137"
    )
    assert expected == task.end


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({}, "no reason given"),
        ({"containers": [{"exitCode": 0}]}, "exit code 0"),
        ({"stoppedReason": "a", "containers": [{"reason": "a"}, {"reason": "b"}, {}]}, "a; b"),
    ],
)
def test_a_task_that_never_started_has_words_too(detail: dict[str, Any], words: str) -> None:
    task = AgentTask.model_validate(BARE | detail)
    assert words == task.end
    assert task.variable("SESSION_ID") is None


def test_a_task_that_never_ran_says_so(task: AgentTask) -> None:
    never_ran = task.model_copy(update={"stopCode": "TaskFailedToStart"})
    assert f"{task.end}; TaskFailedToStart" == never_ran.end
