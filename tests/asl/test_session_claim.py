"""Claim Session: one live session for an issue, one issue for a branch, and no more sessions than slots."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asl.conftest import Eventually, SessionWorkflow

SLOTS = {"pk": "SLOTS", "sk": "SLOTS"}


@pytest.fixture
def taken_slot(workflow: SessionWorkflow) -> Iterator[str]:
    """Somebody's session holds a slot until the test frees it."""
    workflow.table.put_item(Item={**SLOTS, "live": {"somebody": 0}})
    yield "somebody"
    free(workflow, "somebody")


def free(workflow: SessionWorkflow, holder: str) -> None:
    workflow.table.update_item(
        Key=SLOTS, UpdateExpression="REMOVE live.#holder", ExpressionAttributeNames={"#holder": holder}
    )


def three_tries(states: dict[str, Any]) -> None:
    for choice in states["Why Refused?"]["Choices"]:
        choice["Condition"] = choice["Condition"].replace("$claims >= 120", "$claims >= 3")


def put_lock(workflow: SessionWorkflow, issue: str, holder: str, expires_in_seconds: int) -> None:
    expires_at = int(time.time()) + expires_in_seconds
    workflow.table.put_item(Item={"pk": issue, "sk": "LOCK", "session_id": holder, "expires_at": expires_at})


def test_a_locked_issue_ends_the_execution_with_nothing_written(workflow: SessionWorkflow, machine: str) -> None:
    session = workflow.request()
    put_lock(workflow, f"ISSUE#{session.repo}#{session.issue_number}", "another1", 600)
    run = workflow.start(machine, session)
    ended = workflow.ended(run)
    assert ("SUCCEEDED", "IGNORED") == (ended["status"], json.loads(ended["output"])["status"])
    assert "Session Already Live" == workflow.states(run)[-1]
    assert workflow.row(session) is None
    assert session.session_id not in workflow.slots()
    assert "another1" == (workflow.lock(session) or {})["session_id"]
    assert [0, 0] == [workflow.calls(run, step) for step in ("create_branch", "report_failure")]


def test_a_lock_that_has_expired_is_taken_over(workflow: SessionWorkflow, machine: str) -> None:
    session = workflow.request()
    put_lock(workflow, f"ISSUE#{session.repo}#{session.issue_number}", "another1", -1)
    run = workflow.start(machine, session)
    assert "SUCCEEDED" == workflow.finish(run)["status"]
    assert workflow.is_cleaned_up(run)


def test_two_labels_at_the_same_moment_start_one_session(workflow: SessionWorkflow, machine: str) -> None:
    first = workflow.request()
    second = first.model_copy(update={"session_id": workflow.request().session_id})
    runs = [workflow.start(machine, session) for session in (first, second)]
    refused = _the_one_that_ends(workflow, [run.arn for run in runs])
    assert "Session Already Live" == workflow.states(next(run for run in runs if run.arn == refused))[-1]
    live = next(run for run in runs if run.arn != refused)
    assert "SUCCEEDED" == workflow.finish(live)["status"]
    assert workflow.is_cleaned_up(live)


def _the_one_that_ends(workflow: SessionWorkflow, arns: list[str]) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for arn in arns:
            if workflow.sfn.describe_execution(executionArn=arn)["status"] != "RUNNING":
                return arn
        time.sleep(0.05)
    raise AssertionError("neither execution ended")


def test_a_branch_of_another_issue_is_reported_and_not_touched(workflow: SessionWorkflow, machine: str) -> None:
    session = workflow.request()
    owner = {"pk": f"BRANCH#{session.repo}#{session.branch}", "sk": "ISSUE", "issue_number": 999_999}
    workflow.table.put_item(Item=owner)
    run = workflow.start(machine, session)
    ended = workflow.ended(run)
    assert ("FAILED", "BranchTakenError") == (ended["status"], ended["error"])
    assert ("Claim Session", "BranchTakenError") == (
        (reported := workflow.reported(run)).state,
        reported.error,
    )
    assert session.branch in reported.cause
    assert workflow.row(session) is None
    assert 0 == workflow.calls(run, "create_branch")
    assert workflow.is_cleaned_up(run)


def test_the_branch_of_an_earlier_session_of_the_same_issue_is_free(workflow: SessionWorkflow, machine: str) -> None:
    first = workflow.request()
    assert "SUCCEEDED" == workflow.finish(workflow.start(machine, first))["status"]
    again = first.model_copy(update={"session_id": workflow.request().session_id})
    assert "SUCCEEDED" == workflow.finish(workflow.start(machine, again))["status"]


def test_without_a_free_slot_the_session_waits_and_goes_on_when_one_is_freed(
    workflow: SessionWorkflow, taken_slot: str, eventually: Eventually
) -> None:
    session = workflow.request()
    run = workflow.start(workflow.machine(MaxSessions="1"), session)
    eventually(lambda: "Wait For Slot" in workflow.states(run))
    assert workflow.row(session) is None
    assert workflow.lock(session) is None
    free(workflow, taken_slot)
    assert "SUCCEEDED" == workflow.finish(run)["status"]
    assert workflow.is_cleaned_up(run)


def test_a_session_that_never_gets_a_slot_is_reported_after_its_tries(
    workflow: SessionWorkflow, taken_slot: str
) -> None:
    run = workflow.start(workflow.machine(MaxSessions="1", edit=three_tries), workflow.request())
    assert "NoFreeSlotError" == workflow.ended(run)["error"]
    assert ["Claim Session"] * 3 == [state for state in workflow.states(run) if state == "Claim Session"]
    assert "NoFreeSlotError" == workflow.reported(run).error
    assert workflow.is_cleaned_up(run)
    assert {taken_slot} == workflow.slots()


def test_a_claim_that_succeeded_without_its_answer_succeeds_again(workflow: SessionWorkflow) -> None:
    machine, session = workflow.machine(MaxSessions="1"), workflow.request()
    name = session.session_id
    arn = machine.replace(":stateMachine:", ":execution:") + f":{name}"
    put_lock(workflow, f"ISSUE#{session.repo}#{session.issue_number}", name, 600)
    workflow.table.put_item(Item={**SLOTS, "live": {name: 0}})
    workflow.table.put_item(Item={"pk": f"SESSION#{name}", "sk": "SESSION", "execution_arn": arn, "token_hash": "lost"})
    run = workflow.start(machine, session)
    assert arn == run.arn
    assert "SUCCEEDED" == workflow.finish(run)["status"]
    assert "Wait For Slot" not in workflow.states(run)
    assert workflow.is_cleaned_up(run)
    assert "lost" != (workflow.row(session) or {})["token_hash"]


def test_a_claim_that_dynamodb_refuses_for_another_reason_is_reported_in_its_words(workflow: SessionWorkflow) -> None:
    def wrong_table(states: dict[str, Any]) -> None:
        states["Claim Session"]["Arguments"]["TransactItems"][3]["Put"]["TableName"] = "missing"

    run = workflow.start(workflow.machine(edit=wrong_table), workflow.request())
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert ("FAILED", "DynamoDb.ResourceNotFoundException") == (ended["status"], ended["error"])
    assert ("Claim Session", "DynamoDb.ResourceNotFoundException") == (reported.state, reported.error)
    assert workflow.is_cleaned_up(run)


def test_a_session_that_draws_the_id_of_an_earlier_one_fails_and_leaves_its_row_alone(
    workflow: SessionWorkflow, machine: str
) -> None:
    earlier = workflow.start(machine, workflow.request())
    workflow.finish(earlier)
    row = workflow.row(earlier.session)
    run = workflow.start(workflow.machine(), workflow.request(session_id=earlier.session.session_id))
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert ("FAILED", "DynamoDb.TransactionCanceledException") == (ended["status"], ended["error"])
    assert ("Claim Session", "DynamoDb.TransactionCanceledException") == (reported.state, reported.error)
    assert "Refusal Unknown" in workflow.states(run)
    assert row == workflow.row(earlier.session)
    assert workflow.is_cleaned_up(run)
