"""Claim Session: one live session for an issue, one issue for a branch, and a row and a place in the queue for each."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tests.kit.session_row_contract import objections_to_row

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from tests.asl.conftest import SessionWorkflow


def put_lock(workflow: SessionWorkflow, issue: str, holder: str, expires_in_seconds: int) -> None:
    expires_at = int(time.time()) + expires_in_seconds
    workflow.table.put_item(Item={"pk": issue, "sk": "LOCK", "session_id": holder, "expires_at": expires_at})


def test_a_claimed_session_has_a_row_of_what_its_request_said_and_stands_in_the_queue(
    workflow: SessionWorkflow, machine: str
) -> None:
    session, version = workflow.request(), workflow.slots_version()
    run = workflow.start(machine, session, create_branch={"wait_for": "seen"})
    row = workflow.row_when(session, "status")
    assert ([session.session_id], version + 1) == (workflow.queue(), workflow.slots_version())
    workflow.note(session, "seen")
    triggered = {"triggered_by", "triggered_at", "requested_at"}
    of_the_request = {"follows", "previous_session_id", "default_head", "similar_branches", "pull_number", *triggered}
    members = session.model_dump(exclude=of_the_request) | {"base_branch": session.default_branch}
    assert members == {name: row[name] for name in members}
    assert ("QUEUED", run.arn, 0, 0) == (row["status"], row["execution_arn"], row["turns"], row["cost_usd"])
    assert row["created_at"] <= row["last_active_at"]
    assert len(row["token_hash"]) == 64
    assert objections_to_row(row) == []
    workflow.finish(run)


def test_a_request_on_a_pull_request_has_a_row_with_what_that_is_for(workflow: SessionWorkflow, machine: str) -> None:
    run = workflow.start(machine, workflow.request(base_branch="develop"))
    workflow.finish(run)
    row = workflow.row(run.session) or {}
    assert (row["base_branch"], row["default_branch"]) == ("develop", "main")


def test_a_request_without_an_installation_has_a_row_without_one(workflow: SessionWorkflow, machine: str) -> None:
    run = workflow.start(machine, workflow.request(installation_id=None))
    workflow.finish(run)
    assert "installation_id" not in (workflow.row(run.session) or {})


def test_the_lock_outlasts_a_day_in_the_queue_and_the_longest_session(workflow: SessionWorkflow) -> None:
    machine = workflow.machine(MaxSessionAgeSeconds="1000", AgentReadyTimeoutSeconds="100")
    run = workflow.start(machine, workflow.request())
    workflow.row_when(run.session, "lifecycle_token")
    expires_at = int((workflow.lock(run.session) or {})["expires_at"])
    assert 86_400 + 1_000 + 100 <= expires_at - time.time() <= 86_400 + 1_000 + 100 + 3_600
    workflow.finish(run)


def test_a_locked_issue_ends_the_execution_with_nothing_written(workflow: SessionWorkflow, machine: str) -> None:
    session = workflow.request()
    put_lock(workflow, f"ISSUE#{session.repository_id}#{session.issue_number}", "another1", 600)
    run = workflow.start(machine, session)
    ended = workflow.ended(run)
    assert (ended["status"], json.loads(ended["output"])["status"]) == ("SUCCEEDED", "IGNORED")
    assert workflow.states(run)[-1] == "Session Already Live"
    assert workflow.row(session) is None
    assert session.session_id not in workflow.queue()
    assert (workflow.lock(session) or {})["session_id"] == "another1"
    assert [workflow.calls(run, step) for step in ("create_branch", "report_failure")] == [0, 0]


def test_a_lock_that_has_expired_is_taken_over(workflow: SessionWorkflow, machine: str) -> None:
    session = workflow.request()
    put_lock(workflow, f"ISSUE#{session.repository_id}#{session.issue_number}", "another1", -1)
    run = workflow.start(machine, session)
    assert workflow.finish(run)["status"] == "SUCCEEDED"
    assert workflow.is_cleaned_up(run)


def test_two_labels_at_the_same_moment_start_one_session(workflow: SessionWorkflow, machine: str) -> None:
    first = workflow.request()
    second = first.model_copy(update={"session_id": workflow.request().session_id})
    runs = [workflow.start(machine, session) for session in (first, second)]
    refused = eventually(lambda: next((run for run in runs if workflow.is_over(run)), None))
    assert workflow.states(refused)[-1] == "Session Already Live"
    (live,) = (run for run in runs if run is not refused)
    assert workflow.finish(live)["status"] == "SUCCEEDED"
    assert workflow.is_cleaned_up(live)


def test_a_branch_of_another_issue_is_reported_and_not_touched(workflow: SessionWorkflow, machine: str) -> None:
    session = workflow.request()
    owner = {"pk": f"BRANCH#{session.repository_id}#{session.branch}", "sk": "ISSUE", "issue_number": 999_999}
    workflow.table.put_item(Item=owner)
    run = workflow.start(machine, session)
    ended = workflow.ended(run)
    assert (ended["status"], ended["error"]) == ("FAILED", "BranchTakenError")
    assert (
        (reported := workflow.reported(run)).state,
        reported.error,
    ) == ("Claim Session", "BranchTakenError")
    assert session.branch in reported.cause
    assert workflow.row(session) is None
    assert workflow.calls(run, "create_branch") == 0
    assert workflow.is_cleaned_up(run)


def test_the_branch_of_an_earlier_session_of_the_same_issue_is_free(workflow: SessionWorkflow, machine: str) -> None:
    first = workflow.request()
    assert workflow.finish(workflow.start(machine, first))["status"] == "SUCCEEDED"
    again = first.model_copy(update={"session_id": workflow.request().session_id})
    assert workflow.finish(workflow.start(machine, again))["status"] == "SUCCEEDED"


def test_a_claim_made_again_after_it_succeeded_leaves_the_session_as_it_is(
    workflow: SessionWorkflow, machine: str
) -> None:
    """The first try's answer was lost; somebody has given the session its slot before the second."""

    def claim_again(states: dict[str, Any]) -> None:
        states["Claim Again"] = dict(states["Claim Session"])
        states["Pause"] = states["Open Draft Pull Request"] | {"Next": "Claim Again"}
        states["Claim Session"]["Next"] = "Pause"

    run = workflow.start(
        workflow.machine(edit=claim_again), workflow.request(), open_draft_pull_request={"wait_for": "seen"}
    )
    workflow.row_when(run.session, "status")
    giver = workflow.start(machine, workflow.request())
    claimed = workflow.row_when(run.session, "started_at")
    workflow.note(run.session, "seen")
    live = workflow.row_when(run.session, "lifecycle_token")
    kept = ("started_at", "created_at", "token_hash")
    assert [claimed[name] for name in kept] == [live[name] for name in kept]
    assert run.session.session_id not in workflow.queue()
    for each in (run, giver):
        assert workflow.finish(each)["status"] == "SUCCEEDED"
        assert workflow.is_cleaned_up(each)
    assert workflow.states(run)[1:6] == ["Claim Session", "Pause", "Claim Again", "Why Refused?", "Create Branch"]


def test_a_claim_that_meets_another_transaction_is_made_again(workflow: SessionWorkflow) -> None:
    def conflict(states: dict[str, Any]) -> None:
        """What DynamoDB says when two transactions meet stands in for the first refusal."""
        words = "reasons [None, None, TransactionConflict, None]"
        states["Claim Session"]["Catch"][0]["Assign"]["refusal"] = words

    session = workflow.request()
    put_lock(workflow, f"ISSUE#{session.repository_id}#{session.issue_number}", "another1", 600)
    run = workflow.start(workflow.machine(edit=conflict), session)
    eventually(lambda: "Wait For Other Claims" in workflow.states(run))
    workflow.table.delete_item(Key={"pk": f"ISSUE#{session.repository_id}#{session.issue_number}", "sk": "LOCK"})
    assert workflow.finish(run)["status"] == "SUCCEEDED"
    assert workflow.is_cleaned_up(run)


def test_a_claim_that_dynamodb_refuses_for_another_reason_is_reported_in_its_words(workflow: SessionWorkflow) -> None:
    def wrong_table(states: dict[str, Any]) -> None:
        states["Claim Session"]["Arguments"]["TransactItems"][3]["Put"]["TableName"] = "missing"

    run = workflow.start(workflow.machine(edit=wrong_table), workflow.request())
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert (ended["status"], ended["error"]) == ("FAILED", "DynamoDb.ResourceNotFoundException")
    assert (reported.state, reported.error) == ("Claim Session", "DynamoDb.ResourceNotFoundException")
    assert workflow.is_cleaned_up(run)


def test_a_refusal_that_no_rule_knows_is_reported_in_its_words(workflow: SessionWorkflow) -> None:
    def no_queue(states: dict[str, Any]) -> None:
        enrol = states["Claim Session"]["Arguments"]["TransactItems"][2]["Update"]
        enrol["ConditionExpression"] = "attribute_exists(absent)"

    run = workflow.start(workflow.machine(edit=no_queue), workflow.request())
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert (ended["status"], ended["error"]) == ("FAILED", "DynamoDb.TransactionCanceledException")
    assert "[None, None, ConditionalCheckFailed, None, None]" in reported.cause
    assert "Refusal Unknown" in workflow.states(run)
    assert workflow.is_cleaned_up(run)


def test_a_session_that_draws_the_id_of_an_earlier_one_fails_and_leaves_its_row_alone(
    workflow: SessionWorkflow, machine: str
) -> None:
    earlier = workflow.start(machine, workflow.request())
    workflow.finish(earlier)
    row = workflow.row(earlier.session)
    run = workflow.start(workflow.machine(), workflow.request(session_id=earlier.session.session_id))
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert (ended["status"], ended["error"]) == ("FAILED", "SessionNotFoundError")
    assert (reported.state, reported.error) == ("Create Branch", "SessionNotFoundError")
    assert row == workflow.row(earlier.session)
    assert workflow.is_cleaned_up(run)


def test_a_session_that_was_cancelled_never_begins(workflow: SessionWorkflow, machine: str) -> None:
    session = workflow.request()
    workflow.table.put_item(Item={"pk": f"SESSION#{session.session_id}", "sk": "CANCELLED"})
    run = workflow.start(machine, session)
    assert workflow.ended(run)["status"] == "SUCCEEDED"
    assert workflow.states(run) == ["Prepare Session", "Claim Session", "Why Refused?", "Session Cancelled"]
    assert (workflow.row(session), workflow.lock(session)) == (None, None)
