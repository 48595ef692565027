"""An idle session is warned and ended; whoever comes back keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cloud_agent.adapters.table.idle_warnings import IdleWarnings
from cloud_agent.adapters.table.keys import session_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind, PromptState
from cloud_agent.domain.session.session import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.functions.reconciler.conftest import Fleet

    Reconcile = Callable[..., dict[str, int]]
    At = Callable[[float], None]

ID = "09e22a8b"
REASON = "The session was idle for 60 minutes."
FOLLOW_UP = Prompt(
    id="01K0M1Z0000000000000000001", kind=PromptKind.COMMENT, body="b", author="a", url="u", created_at="c"
)


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def test_an_idle_session_is_warned_and_then_ended(reconcile: Reconcile, fleet: Fleet, at: At) -> None:
    fleet.put(ID, idle_minutes=51)
    assert reconcile() == {"IdleWarned": 1}
    before = fleet.row()
    assert before["idle_ends_at"] > timestamp()
    assert reconcile() == {}
    assert before == fleet.row()
    at(9.5)
    assert reconcile() == {"IdleSessionEnded": 1}
    ending = {"status": "STOPPED", "reason": REASON}
    assert ending == fleet.row()["ending"]
    assert [(f"lifecycle-{ID}", ending)] == fleet.step_functions.succeeded
    fleet.step_functions.late[f"lifecycle-{ID}"] = "TaskDoesNotExist"
    assert reconcile() == {}


def test_a_warning_is_no_activity(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, idle_minutes=51)
    active = fleet.row()["last_active_at"]
    reconcile()
    assert active == fleet.row()["last_active_at"]


@pytest.mark.parametrize("state", [PromptState.PENDING, PromptState.TAKEN])
def test_a_session_with_a_prompt_to_answer_is_not_idle(reconcile: Reconcile, fleet: Fleet, state: PromptState) -> None:
    fleet.put(ID, idle_minutes=300)
    fleet.ask(ID, state)
    assert reconcile() == {}
    assert "idle_ends_at" not in fleet.row()


def test_a_prompt_that_was_carried_in_since_takes_the_warning_back(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, idle_minutes=55)
    reconcile()
    fleet.ask(ID, PromptState.PENDING)
    assert reconcile() == {"IdleWarningWithdrawn": 1}
    assert "idle_ends_at" not in fleet.row()


def test_a_session_that_has_answered_everything_may_be_idle(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, idle_minutes=51)
    fleet.ask(ID, PromptState.ANSWERED)
    assert reconcile() == {"IdleWarned": 1}


def test_a_visit_takes_the_warning_back(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, idle_minutes=55, idle_ends_at=timestamp(ago(-5)), last_visited_at=timestamp(ago(1)))
    assert reconcile() == {"IdleWarningWithdrawn": 1}
    assert "idle_ends_at" not in fleet.row()
    assert reconcile() == {}


def test_the_repositorys_own_limit_is_kept(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, idle_minutes=3, idle_ends_at=timestamp(ago(0.9)))
    fleet.table.update_item(
        Key=session_key(ID), UpdateExpression="SET idle_minutes = :two", ExpressionAttributeValues={":two": 2}
    )
    assert reconcile() == {"IdleSessionEnded": 1}
    assert REASON.replace("60", "2") == fleet.row()["ending"]["reason"]


@pytest.mark.parametrize("status", ["QUEUED", "STARTING"])
def test_a_session_that_does_not_run_yet_is_not_idle(reconcile: Reconcile, fleet: Fleet, status: str) -> None:
    fleet.put(ID, status, idle_minutes=600)
    assert "IdleWarned" not in reconcile()


def test_a_session_that_is_asked_to_end_is_not_warned(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, idle_minutes=51, ending={"status": "COMPLETED", "reason": "The pull request was merged."})
    reconcile()
    assert "idle_ends_at" not in fleet.row()


@pytest.mark.parametrize("what", ["prompt", "visit", "report"])
def test_whoever_comes_back_at_the_very_moment_keeps_the_session(
    reconcile: Reconcile, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    fleet.put(ID, idle_minutes=61, idle_ends_at=timestamp(ago(0.5)))
    end = IdleWarnings.end

    def come_back_first(warnings: IdleWarnings, *arguments: object) -> bool:
        if what == "prompt":
            Prompts(fleet.table.name).add(ID, FOLLOW_UP)
        elif what == "report":
            SessionsTable(fleet.table.name).record_activity(ID, {"activity": "Edit"})
        else:
            SessionsTable(fleet.table.name).record(ID, last_visited_at=timestamp())
        return bool(end(warnings, *arguments))  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(IdleWarnings, "end", come_back_first)
    assert reconcile() == {}
    assert "ending" not in fleet.row()
    assert fleet.step_functions.succeeded == []


def test_a_visit_at_the_moment_of_the_warning_is_not_warned_of(fleet: Fleet) -> None:
    fleet.put(ID, idle_minutes=51)
    sessions, warnings = SessionsTable(fleet.table.name), IdleWarnings(fleet.table.name)
    read_before = sessions.get(ID)
    sessions.record(ID, last_visited_at=timestamp())
    assert not warnings.warn(read_before, ago(-10))
    assert "idle_ends_at" not in fleet.row()
    assert warnings.warn(sessions.get(ID), ago(-10))
    assert not warnings.cancel(read_before)
    assert warnings.cancel(sessions.get(ID))
