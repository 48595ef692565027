"""More sessions than slots: the rest wait in order, are told their place, and start by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import System

SLOTS = 3  # of the stage


def test_sessions_beyond_the_limit_wait_their_turn_and_start_by_themselves(stage: System) -> None:
    first = [stage.start(f"Early {n}", "Please.") for n in range(SLOTS)]
    for session in first:
        stage.wait_for_row(session, lambda row: "lifecycle_token" in row)
    late = [stage.start("Late", "Please."), stage.start("Later", "Please.")]

    assert "next in line" in stage.wait_for_status(late[0], "next in line")
    assert "place 2 of 2" in stage.wait_for_status(late[1], "place 2 of 2")
    assert ({s.id for s in first}, [s.id for s in late]) == stage.slots()
    assert [stage.row(s.id)["status"] for s in late] == ["QUEUED", "QUEUED"]

    stage.comment(stage.row(first[1].id)["pull_number"], "/stop")
    stage.wait_for_row(late[0], lambda row: row["status"] == "RUNNING", 30)
    stage.wait_for_status(late[1], "next in line")
    stage.github.call(
        "PATCH", f"/repos/{stage.repository}/pulls/{stage.row(late[1].id)['pull_number']}", {"state": "closed"}
    )

    assert stage.wait_for_end(late[1]) == "SUCCEEDED"
    assert stage.row(late[1].id)["status"] == "STOPPED"
    assert "Stopped" in stage.wait_for_status(late[1], "Stopped")
    assert wait_for(lambda: stage.slots()[1], lambda waiting: waiting == []) == []
