"""A session that is asked to end: whichever wait its execution is in is told, once, and the first word stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent.adapters.table.keys import pull_key, session_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions

    PutSession = Callable[..., None]
    Deliver = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]

REPO = "acme/storefront"
SESSION = "513821dd"
REPOSITORY = {"full_name": REPO, "default_branch": "main"}
MERGED = {"action": "closed", "repository": REPOSITORY, "pull_request": {"number": 43, "merged": True}}
CLOSED = {"action": "closed", "repository": REPOSITORY, "issue": {"number": 42, "state_reason": "not_planned"}}


@pytest.fixture
def deliver(deliver_event: Deliver) -> Deliver:
    return deliver_event


def test_a_merge_ends_a_supervised_session(
    deliver: Deliver, put_session: PutSession, table: Table, step_functions: StepFunctions
) -> None:
    put_session(SESSION, lifecycle_token="parked")
    status, answer = deliver("pull_request", MERGED)
    assert (status, answer) == (202, {"session_id": SESSION, "ending": "The pull request was merged."})
    ending = {"status": "COMPLETED", "reason": "The pull request was merged."}
    assert [("parked", ending)] == step_functions.succeeded
    assert ending == table.get_item(Key=session_key(SESSION))["Item"]["ending"]


def test_a_session_that_is_starting_is_told_through_its_first_wait(
    deliver: Deliver, put_session: PutSession, step_functions: StepFunctions
) -> None:
    put_session(SESSION, status="STARTING", start_token="first")
    assert deliver("issues", CLOSED)[0] == 202
    assert step_functions.failed == [("first", "SessionEndRequestedError", "The issue was closed.")]


def test_a_session_between_its_waits_keeps_the_note(
    deliver: Deliver, put_session: PutSession, table: Table, step_functions: StepFunctions
) -> None:
    put_session(SESSION)
    assert deliver("issues", CLOSED)[0] == 202
    assert (step_functions.succeeded, step_functions.failed) == ([], [])
    ending = {"status": "STOPPED", "reason": "The issue was closed."}
    assert ending == table.get_item(Key=session_key(SESSION))["Item"]["ending"]


def test_the_first_reason_stands_and_a_repeated_event_tells_the_wait_again(
    deliver: Deliver, put_session: PutSession, step_functions: StepFunctions
) -> None:
    put_session(SESSION, lifecycle_token="parked")
    deliver("pull_request", MERGED)
    assert deliver("issues", CLOSED) == (202, {"session_id": SESSION, "ending": "The pull request was merged."})
    assert [output["status"] for _, output in step_functions.succeeded] == ["COMPLETED", "COMPLETED"]


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED", "FAILED"])
def test_a_session_that_is_over_is_left_alone(
    deliver: Deliver, put_session: PutSession, table: Table, step_functions: StepFunctions, status: str
) -> None:
    put_session(SESSION, status=status)
    assert deliver("pull_request", MERGED) == (200, {"ignored": "there is no live session to end"})
    assert "ending" not in table.get_item(Key=session_key(SESSION))["Item"]
    assert (step_functions.succeeded, step_functions.failed) == ([], [])


def test_a_pull_request_of_nobodys_session_is_ignored(deliver: Deliver) -> None:
    assert deliver("pull_request", MERGED) == (200, {"ignored": "there is no live session to end"})
    assert deliver("issues", CLOSED) == (200, {"ignored": "there is no live session to end"})


def test_a_pull_request_that_outlived_its_sessions_row_is_ignored(deliver: Deliver, table: Table) -> None:
    table.put_item(Item=pull_key(REPO, 43) | {"session_id": SESSION})
    assert deliver("pull_request", MERGED) == (200, {"ignored": "there is no live session to end"})
