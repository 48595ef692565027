"""A session that is asked to end: whichever wait its execution is in is told, once, and the first word stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID

from cloud_agent.adapters.table.keys import pull_key, session_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    PutSession = Callable[..., None]
    Deliver = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]

REPO = "acme/storefront"
SESSION = "6020583d"
REPOSITORY = {"id": 1, "full_name": REPO, "default_branch": "main"}
MERGED = {"action": "closed", "repository": REPOSITORY, "pull_request": {"number": 43, "merged": True}}
CLOSED = {
    "action": "closed",
    "repository": REPOSITORY,
    "issue": {"number": 42, "state_reason": "not_planned"},
    "sender": {"login": "octo-dev"},
}


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


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("deleted", "The issue was deleted."),
        ("transferred", "The issue was transferred to acme/kitchen#3. Add the label there to go on."),
    ],
)
def test_a_deleted_or_transferred_issue_ends_its_session_with_the_reason(  # noqa: PLR0913, PLR0917 - fixtures
    deliver: Deliver, put_session: PutSession, step_functions: StepFunctions,
    sample: Callable[[str], dict[str, Any]], action: str, reason: str,
) -> None:  # fmt: skip
    put_session(SESSION, lifecycle_token="parked")
    payload = sample(f"github/issues.{action}.json")
    assert deliver("issues", payload) == (202, {"session_id": SESSION, "ending": reason})
    assert step_functions.succeeded == [("parked", {"status": "STOPPED", "reason": reason})]
    assert deliver("issues", payload)[0] == 202


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
    table.put_item(Item=pull_key(REPOSITORY_ID, 43) | {"session_id": SESSION})
    assert deliver("pull_request", MERGED) == (200, {"ignored": "there is no live session to end"})


@pytest.mark.parametrize("role", [None, "read", "triage"])
def test_an_author_who_may_not_write_closes_the_issue_and_not_its_session(
    deliver: Callable[..., tuple[int, dict[str, Any]]], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn, role: str | None,
) -> None:  # fmt: skip
    put_session(SESSION, lifecycle_token="parked")
    if role:
        github_stand_in.roles["zoe"] = role
    for delivery in ("d-1", "d-2", "d-2"):
        answer = deliver("issues", CLOSED | {"sender": {"login": "zoe"}}, delivery)
        assert answer == (200, {"ignored": f"zoe has no write permission in {REPO}"})
    assert "ending" not in table.get_item(Key=session_key(SESSION))["Item"]
    (said,) = github_stand_in.said(42)
    assert said.startswith("zoe closed this issue, but doesn't have write access")
    assert said.endswith("Someone with write access can stop it: remove the label `claude-dev`.\n")


def test_an_issue_without_a_live_session_is_closed_without_a_word(
    deliver: Deliver, put_session: PutSession, github_stand_in: GitHubStandIn
) -> None:
    put_session(SESSION, status="STOPPED")
    closed = CLOSED | {"sender": {"login": "zoe"}}
    assert deliver("issues", closed) == (200, {"ignored": "there is no live session to end"})
    assert github_stand_in.requests == []


def test_an_app_that_closes_the_issue_ends_its_session(
    deliver: Deliver, put_session: PutSession, github_stand_in: GitHubStandIn
) -> None:
    put_session(SESSION, lifecycle_token="parked")
    closed = CLOSED | {"sender": {"login": "stale[bot]", "type": "Bot"}}
    assert deliver("issues", closed) == (202, {"session_id": SESSION, "ending": "The issue was closed."})
    assert github_stand_in.requests == []


@pytest.mark.parametrize("sender", [{"login": "octo-dev"}, {"login": "merge-queue[bot]", "type": "Bot"}])
def test_an_issue_that_its_merge_closed_is_told_as_merged_whichever_event_comes_first(
    deliver: Deliver, put_session: PutSession, github_stand_in: GitHubStandIn, sender: dict[str, str]
) -> None:
    put_session(SESSION, lifecycle_token="parked")
    done = CLOSED | {"issue": {"number": 42, "state_reason": "completed"}, "sender": sender}
    github_stand_in.merged_at = "2026-11-22T10:00:00Z"
    assert deliver("issues", done) == (202, {"session_id": SESSION, "ending": "The pull request was merged."})


def test_an_issue_closed_as_done_by_hand_is_told_as_closed(deliver: Deliver, put_session: PutSession) -> None:
    put_session(SESSION, lifecycle_token="parked")
    done = CLOSED | {"issue": {"number": 42, "state_reason": "completed"}}
    assert deliver("issues", done) == (202, {"session_id": SESSION, "ending": "The issue was closed."})


def test_an_account_that_is_gone_ends_no_session(deliver: Deliver, put_session: PutSession) -> None:
    put_session(SESSION, lifecycle_token="parked")
    answer = deliver("issues", CLOSED | {"sender": None})
    assert answer == (200, {"ignored": "the issue was closed by an account that is gone"})


def test_a_closed_issue_is_decided_once_github_is_back(
    deliver: Deliver, put_session: PutSession, github_stand_in: GitHubStandIn
) -> None:
    put_session(SESSION, lifecycle_token="parked")
    github_stand_in.faults += [("GET", "permission", 503, False)] * 2
    assert deliver("issues", CLOSED)[0] == 503
    assert deliver("issues", CLOSED)[0] == 202


@pytest.mark.parametrize("name", [f"{'a' * 39}/{'b' * 101}", f"acme/{'b' * 5_000}"])
def test_a_repository_name_that_github_could_not_have_is_a_bad_request(deliver: Deliver, name: str) -> None:
    status, answer = deliver("pull_request", MERGED | {"repository": REPOSITORY | {"full_name": name}})
    assert (status, "at most 140 characters" in answer["message"]) == (400, True)
