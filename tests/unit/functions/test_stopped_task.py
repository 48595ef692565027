"""What ECS's event says of a task that has stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent.domain.session.stopped_task import StoppedTask

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def task(sample: Callable[[str], dict[str, Any]]) -> StoppedTask:
    return StoppedTask.model_validate(sample("task_events/container_exited.json")["detail"])


def test_the_overrides_tell_whose_task_it_was(task: StoppedTask) -> None:
    assert task.variable("SESSION_ID") == "513821dd"
    assert task.variable("TASK_TOKEN")
    assert task.variable("AWS_REGION") is None


def test_reason_and_exit_code_become_one_sentence(task: StoppedTask) -> None:
    expected = (
        "Essential container in task exited; OutOfMemoryError: Container killed due to memory usage; exit code 137"
    )
    assert expected == task.words


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({}, "no reason given"),
        ({"containers": [{"exitCode": 0}]}, "exit code 0"),
        ({"stoppedReason": "a", "containers": [{"reason": "a"}, {"reason": "b"}, {}]}, "a; b"),
    ],
)
def test_a_task_that_never_started_has_words_too(detail: dict[str, Any], words: str) -> None:
    task = StoppedTask.model_validate({"taskArn": "arn"} | detail)
    assert words == task.words
    assert task.variable("SESSION_ID") is None


def test_a_task_that_never_ran_says_so(task: StoppedTask) -> None:
    never_ran = task.model_copy(update={"stopCode": "TaskFailedToStart"})
    assert f"{task.words}; TaskFailedToStart" == never_ran.words
