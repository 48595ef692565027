"""The staging agent's label: its image's task runs, beside the usual one's, and each label ends its own session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import Session, System

LABEL = "claude-dev-staging"


def answer(stage: System, session: Session) -> str:
    """What the session's agent has answered to the issue."""
    row = stage.wait_for_row(session, lambda row: row.get("turns") == "1")
    return stage.wait_for_comment(row["pull_number"], "claude-cloud-agent:turn:")


def family(stage: System, session: Session) -> str:
    """The family of the task definition that the session's one task is of."""
    return stage.task_definition(session).rpartition("/")[2].rpartition(":")[0]


def test_each_label_starts_its_own_agent_and_the_comment_names_the_one_that_is_tried_out(stage: System) -> None:
    staged = stage.start("Try the new agent", "Please.", LABEL)
    usual = stage.start("Use the old one", "Please.")

    assert "Tried out: Please." in answer(stage, staged)
    assert "Done: Please." in answer(stage, usual)
    assert family(stage, staged) == f"{family(stage, usual).removesuffix('agent')}staging-agent"
    assert "| **Agent** | staging |" in stage.status_comment(staged)
    assert "**Agent**" not in stage.status_comment(usual)
    assert stage.visitor(staged).fetch().status == 200


def test_a_label_that_is_added_to_a_live_session_is_told_so_and_ends_nothing_when_it_goes(stage: System) -> None:
    session = stage.start("Both labels", "Please.", LABEL)
    stage.wait_for_row(session, lambda row: "lifecycle_token" in row)

    stage.label(session.issue_number)
    told = stage.wait_for_comment(session.issue_number, "started nothing")
    assert f"`{LABEL}` is still running on #{stage.row(session.id)['pull_number']}" in told
    stage.unlabel(session.issue_number)
    refused = f"session {session.id} was started by another label"
    wait_for(lambda: _answers(stage), lambda answers: any(refused in one for one in answers))
    assert stage.row(session.id)["status"] == "RUNNING"

    stage.unlabel(session.issue_number, LABEL)
    row = stage.wait_until_over(session)
    assert f"The label {LABEL} was removed from the issue." == row["end_reason"]
    assert f"remove and re-add the label `{LABEL}`" in stage.wait_for_status(session, "Stopped")


def _answers(stage: System) -> list[str]:
    """What the webhook said to the last deliveries."""
    return [stage.delivery(one["id"])["response"]["payload"] for one in stage.deliveries()[:5]]
