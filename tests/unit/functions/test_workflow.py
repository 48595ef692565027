"""Starting executions and answering their waits."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from cloud_agent.adapters.aws.workflow import Workflow, state_machine_of

if TYPE_CHECKING:
    from tests.unit.functions.aws_stand_in import StepFunctions

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:test-session"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:test-session:acme-shop-42-09e22a8b"
LATE = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"]


@pytest.fixture
def workflow(aws: None, step_functions: StepFunctions) -> Workflow:
    return Workflow()


def test_an_execution_of_a_name_is_started_once(workflow: Workflow, step_functions: StepFunctions) -> None:
    assert workflow.start(ARN, "acme-shop-42-09e22a8b", '{"n": 1}')
    assert not workflow.start(ARN, "acme-shop-42-09e22a8b", '{"n": 2}')
    assert step_functions.executions == {"acme-shop-42-09e22a8b": {"n": 1}}


def test_each_answer_reaches_its_wait(workflow: Workflow, step_functions: StepFunctions) -> None:
    assert workflow.succeed("a", {"port": 3000})
    assert workflow.fail("b", "CloneFailedError", "npm")
    assert workflow.heartbeat("c")
    assert step_functions.succeeded == [("a", {"port": 3000})]
    assert step_functions.failed == [("b", "CloneFailedError", "npm")]
    assert step_functions.heartbeats == ["c"]


@pytest.mark.parametrize("code", LATE)
def test_an_answer_that_comes_late_is_harmless(workflow: Workflow, step_functions: StepFunctions, code: str) -> None:
    step_functions.late["gone"] = code
    assert not workflow.succeed("gone", {})
    assert not workflow.fail("gone", "XError", "x")
    assert not workflow.heartbeat("gone")


def test_any_other_refusal_is_not_swallowed(workflow: Workflow, step_functions: StepFunctions) -> None:
    step_functions.late["t"] = "AccessDeniedException"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        workflow.succeed("t", {})


def test_of_a_cause_that_is_too_long_the_end_is_kept(workflow: Workflow, step_functions: StepFunctions) -> None:
    assert workflow.fail("t", "E" * 1_000, "x" * 40_000 + "the error itself")
    ((_, error, cause),) = step_functions.failed
    assert (len(error), len(cause)) == (256, 32_768)
    assert cause.endswith("the error itself")


def test_the_longest_words_of_an_agent_fit_into_an_output(workflow: Workflow, step_functions: StepFunctions) -> None:
    assert workflow.succeed("t", {"reason": "😀" * 32_000})
    assert step_functions.succeeded[0][1]["reason"] == "😀" * 32_000


def test_an_execution_says_which_state_machine_it_is_of() -> None:
    assert state_machine_of(EXECUTION) == ARN


def test_every_page_of_the_running_executions_is_read(workflow: Workflow, step_functions: StepFunctions) -> None:
    step_functions.statuses = {f"{EXECUTION}{number}": "RUNNING" for number in range(2_001)}
    step_functions.statuses |= {EXECUTION: "SUCCEEDED", EXECUTION.replace("test", "other"): "RUNNING"}
    running = workflow.running(ARN)
    assert len(running) == 2_001
    assert EXECUTION not in running


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("RUNNING", None),
        ("PENDING_REDRIVE", None),
        ("SUCCEEDED", "SUCCEEDED"),
        ("FAILED", "FAILED"),
        ("TIMED_OUT", "TIMED_OUT"),
        ("ABORTED", "ABORTED"),
        (None, "DELETED"),
    ],
)
def test_an_execution_is_over_when_nothing_can_go_on(
    workflow: Workflow, step_functions: StepFunctions, status: str | None, expected: str | None
) -> None:
    step_functions.statuses = {EXECUTION: status} if status else {}
    assert expected == workflow.ended_as(EXECUTION)
