"""What a person does on GitHub ends the session, and the label starts it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import Session, System


def running_session(system: System, greeting: str) -> tuple[Session, dict[str, str]]:
    """A session whose first turn is over and that is supervised."""
    session = system.start("Greet", f'Change the greeting to "{greeting}".')
    system.wait_for_turn(session)
    return session, system.wait_for_row(session, lambda row: "lifecycle_token" in row)


@pytest.mark.parametrize(
    ("way", "reason"),
    [("merge", "The pull request was merged."), ("close", "The pull request was closed.")],
)
def test_a_merged_or_closed_pull_request_ends_its_session(system: System, way: str, reason: str) -> None:
    session, row = running_session(system, f"Until {way}")
    path = f"/repos/{system.repository}/pulls/{row['pull_number']}"
    if way == "merge":
        system.mark_ready(int(row["pull_number"]))
        system.github.call("PUT", f"{path}/merge", {})
    else:
        system.github.call("PATCH", path, {"state": "closed"})

    assert "SUCCEEDED" == system.wait_for_end(session)

    ended = system.row(session.id)
    assert ("COMPLETED" if way == "merge" else "STOPPED", reason) == (ended["status"], ended["end_reason"])
    (comment,) = system.comments(int(row["pull_number"]))
    assert "The session has ended" in comment["body"]
    assert reason in comment["body"]
    gone = wait_for(system.visitor(session).fetch, lambda page: 410 == page.status, 10)
    assert reason in gone.text
    deployments = system.github.call(
        "GET", f"/repos/{system.repository}/deployments?environment=uat/pr-{row['pull_number']}"
    )
    statuses = system.github.call("GET", f"/repos/{system.repository}/deployments/{deployments[0]['id']}/statuses")
    assert "inactive" == statuses[0]["state"]
    ecs = system.client("ecs")
    cluster = system.installation.outputs["ClusterArn"]
    wait_for(lambda: ecs.list_tasks(cluster=cluster, startedBy=session.id)["taskArns"], lambda arns: [] == arns)


def test_a_label_taken_off_while_the_session_starts_ends_it_and_the_label_starts_it_again(system: System) -> None:
    first = system.start("Greet twice", 'Change the greeting to "Second try".')
    system.wait_for_row(first, lambda row: "base_sha" in row)
    system.unlabel(first.issue_number)

    assert "SUCCEEDED" == system.wait_for_end(first)
    assert "taken off the issue" in system.row(first.id)["end_reason"]
    system.label(first.issue_number)
    wait_for(lambda: system.executions_of(first.issue_number), lambda names: 2 == len(names))
    second = system.session_of(first.issue_number)
    assert second.id != first.id
    row = system.wait_for_turn(second)
    assert system.row(first.id)["branch"] == row["branch"]
    assert "Second try" == system.visitor(second).wait_for("Second try", 60).heading


def test_a_closed_issue_ends_its_session(system: System) -> None:
    session, row = running_session(system, "Until the issue is closed")
    path = f"/repos/{system.repository}/issues/{session.issue_number}"
    system.github.call("PATCH", path, {"state": "closed", "state_reason": "not_planned"})

    assert "SUCCEEDED" == system.wait_for_end(session)
    assert ("STOPPED", "The issue was closed.") == tuple(
        system.row(session.id)[name] for name in ("status", "end_reason")
    )
    assert "The issue was closed" in system.comments(int(row["pull_number"]))[0]["body"]
