"""A session that follows one of the same issue: it waits until that one is closed, and then it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent.domain.session.naming import session_id_for
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from tests.asl.conftest import SessionWorkflow

    from cloud_agent.domain.session.session_request import RequestedSession


def follower_of(session: RequestedSession) -> RequestedSession:
    """The request that a label or a command makes while `session` is ending."""
    session_id = session_id_for(session.repository_id, session.issue_number, f"after:{session.session_id}")
    return session.model_copy(update={"session_id": session_id, "follows": session.session_id})


def three_tries(states: dict[str, Any]) -> None:
    for choice in states["Why Refused?"]["Choices"]:
        choice["Condition"] = choice["Condition"].replace("$claims >= 120", "$claims >= 3")


def test_a_follower_waits_for_the_old_session_and_starts_after_it(workflow: SessionWorkflow, machine: str) -> None:
    old = workflow.start(machine, workflow.request())
    workflow.row_when(old.session, "lifecycle_token")
    new = workflow.start(machine, follower_of(old.session))
    eventually(lambda: "Wait For Previous Session" in workflow.states(new))
    assert workflow.row(new.session) is None
    assert old.session.session_id == (workflow.lock(old.session) or {})["session_id"]
    assert workflow.finish(old)["status"] == "SUCCEEDED"
    row = workflow.row_when(new.session, "lifecycle_token")
    assert row["started_at"] >= (workflow.row(old.session) or {})["ended_at"]
    assert new.session.session_id == (workflow.lock(new.session) or {})["session_id"]
    assert workflow.finish(new)["status"] == "SUCCEEDED"
    assert workflow.is_cleaned_up(new)


def test_a_follower_of_a_session_that_is_closed_already_starts_at_once(workflow: SessionWorkflow, machine: str) -> None:
    old = workflow.start(machine, workflow.request())
    workflow.finish(old)
    new = workflow.start(machine, follower_of(old.session))
    assert workflow.finish(new)["status"] == "SUCCEEDED"
    assert "Wait For Previous Session" not in workflow.states(new)


def test_two_requests_for_one_follower_are_one_session(workflow: SessionWorkflow, machine: str) -> None:
    old = workflow.start(machine, workflow.request())
    workflow.row_when(old.session, "lifecycle_token")
    first, second = (workflow.start(machine, follower_of(old.session)) for _ in range(2))
    assert first.arn == second.arn
    workflow.finish(old)
    assert workflow.finish(first)["status"] == "SUCCEEDED"
    assert workflow.calls(first, "create_branch") == 1


def test_an_old_session_that_does_not_end_is_reported_after_the_last_try(workflow: SessionWorkflow) -> None:
    machine = workflow.machine(edit=three_tries)
    old = workflow.start(machine, workflow.request())
    workflow.row_when(old.session, "lifecycle_token")
    new = workflow.start(machine, follower_of(old.session))
    ended, reported = workflow.ended(new), workflow.reported(new)
    assert (ended["status"], ended["error"]) == ("FAILED", "SessionStillEndingError")
    assert (reported.state, reported.error) == ("Claim Session", "SessionStillEndingError")
    assert old.session.session_id in reported.cause
    assert workflow.states(new).count("Claim Session") == 3
    assert workflow.row(new.session) is None
    assert old.session.session_id == (workflow.lock(old.session) or {})["session_id"]
    workflow.finish(old)
    assert workflow.is_cleaned_up(old)
