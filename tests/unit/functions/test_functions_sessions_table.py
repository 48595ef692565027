"""The sessions table as the functions use it: what runs twice does no harm, what comes late changes nothing."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID, a_row

from cloud_agent.adapters.table.keys import lock_key, pull_key, session_key
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.errors import SessionNotFoundError
from cloud_agent.domain.policy.limits import SessionLimits, WantedLimits
from cloud_agent.domain.session.comment_trigger import CommentTrigger
from cloud_agent.domain.session.model_choice import ModelChoice
from cloud_agent.domain.session.session import Ending, SessionStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ID, OTHER = "09e22a8b", "0badcafe"
REPO, ISSUE = "acme/storefront", 42
ENDED = [SessionStatus.COMPLETED, SessionStatus.STOPPED, SessionStatus.FAILED]


@pytest.fixture
def sessions(table: Table) -> SessionsTable:
    return SessionsTable(table.name)


def _claim(table: Table, session_id: str = ID, status: str = "STARTING", **attributes: Any) -> None:  # noqa: ANN401 - a row's values
    """What the state "Claim Session" writes."""
    own = {"status": status, "installation_id": None, "execution_arn": f"arn:{session_id}", **attributes}
    table.put_item(Item=a_row(session_id, **own))
    _lock(table, session_id)


def _lock(table: Table, session_id: str, seconds: int = 3_600) -> None:
    expires = int(time.time()) + seconds
    table.put_item(Item=lock_key(REPOSITORY_ID, ISSUE) | {"session_id": session_id, "expires_at": expires})


def _row(table: Table, key: dict[str, str] | None = None) -> dict[str, Any]:
    return dict(table.get_item(Key=key or session_key(ID)).get("Item", {}))


def test_a_session_is_read_as_it_was_claimed(table: Table, sessions: SessionsTable) -> None:
    _claim(table, turns=3, cost_usd=Decimal("0.25"))
    session = sessions.get(ID)
    assert (
        session.session_id,
        session.status,
        session.repo,
        session.issue_number,
    ) == (ID, SessionStatus.STARTING, REPO, ISSUE)
    assert (3, Decimal("0.25"), None, None) == (session.turns, session.cost_usd, session.ip, session.installation_id)


def test_an_unknown_session_is_an_error_that_names_it(sessions: SessionsTable) -> None:
    with pytest.raises(SessionNotFoundError, match=ID):
        sessions.get(ID)


def test_a_row_of_another_execution_is_not_ones_own(table: Table, sessions: SessionsTable) -> None:
    _claim(table)
    assert sessions.get_own(ID, f"arn:{ID}").session_id == ID
    with pytest.raises(SessionNotFoundError):
        sessions.get_own(ID, "arn:another")


def test_the_lock_names_the_live_session(table: Table, sessions: SessionsTable) -> None:
    assert sessions.live_session_id(REPOSITORY_ID, ISSUE) is None
    _claim(table)
    assert sessions.live_session_id(REPOSITORY_ID, ISSUE) == ID
    assert sessions.live_session_id(REPOSITORY_ID, 43) is None
    assert sessions.live_session_id(2, ISSUE) is None


def test_an_expired_lock_binds_nobody_though_it_is_not_deleted_yet(table: Table, sessions: SessionsTable) -> None:
    _lock(table, ID, seconds=-60)
    assert sessions.live_session_id(REPOSITORY_ID, ISSUE) is None


def test_attributes_are_recorded_on_an_existing_row_only(table: Table, sessions: SessionsTable) -> None:
    with pytest.raises(SessionNotFoundError, match=ID):
        sessions.record(ID, base_sha="a" * 40)
    assert _row(table) == {}
    _claim(table)
    for _ in range(2):
        sessions.record(ID, base_sha="a" * 40, initial_sha=None)
    assert (_row(table)["base_sha"], _row(table)["initial_sha"]) == ("a" * 40, None)


def test_session_and_pull_request_know_each_other(table: Table, sessions: SessionsTable) -> None:
    _claim(table)
    for _ in range(2):
        sessions.record_pull_request(ID, REPOSITORY_ID, 43, "https://github.com/acme/storefront/pull/43", "release")
    assert (_row(table)["pull_number"], _row(table)["base_branch"]) == (43, "release")
    assert _row(table, pull_key(REPOSITORY_ID, 43))["session_id"] == ID


def test_activity_stands_as_last_reported(table: Table, sessions: SessionsTable) -> None:
    _claim(table, status="RUNNING")
    for turns in (1, 2):
        assert sessions.record_activity(ID, {"activity": "turn_finished", "turns": turns, "cost_usd": Decimal("0.5")})
    row = _row(table)
    assert ("turn_finished", 2, Decimal("0.5")) == (row["activity"], row["turns"], row["cost_usd"])
    assert row["last_active_at"].endswith("Z")


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_session_does_nothing_more(table: Table, sessions: SessionsTable, status: SessionStatus) -> None:
    _claim(table, status=status)
    before = _row(table)
    assert not sessions.record_activity(ID, {"activity": "x"})
    assert before == _row(table)


def test_closing_frees_the_lock_and_dates_the_row(table: Table, sessions: SessionsTable) -> None:
    _claim(table, status="RUNNING", lifecycle_token="t", start_token="s", idle_ends_at="2026-11-22T09:00:00.000Z")
    _claim(table, session_id=OTHER)
    _lock(table, ID)
    sessions.close(sessions.get(ID), SessionStatus.STOPPED, "The pull request was closed.")
    row = _row(table)
    assert (row["status"], row["end_reason"]) == ("STOPPED", "The pull request was closed.")
    assert not {"lifecycle_token", "start_token", "idle_ends_at"} & set(row)
    assert row["ended_at"].endswith("Z")
    assert 29 * 86_400 < int(row["expires_at"]) - time.time() < 31 * 86_400
    assert _row(table, lock_key(REPOSITORY_ID, ISSUE)) == {}


def test_closed_twice_the_first_ending_stands(table: Table, sessions: SessionsTable) -> None:
    _claim(table)
    session = sessions.get(ID)
    sessions.close(session, SessionStatus.STOPPED, "first")
    before = _row(table)
    sessions.close(session, SessionStatus.FAILED, "second")
    assert before == _row(table)


def test_closing_leaves_a_later_sessions_lock_alone(table: Table, sessions: SessionsTable) -> None:
    _claim(table)
    session = sessions.get(ID)
    _claim(table, session_id=OTHER)
    sessions.close(session, SessionStatus.FAILED, "late")
    assert sessions.live_session_id(REPOSITORY_ID, ISSUE) == OTHER


def test_rows_are_read_in_batches_and_those_that_are_gone_are_absent(table: Table, sessions: SessionsTable) -> None:
    ids = [f"{number:08x}" for number in range(203)]
    with table.batch_writer() as batch:
        for session_id in ids[:-1]:
            batch.put_item(Item=session_key(session_id) | {"session_id": session_id})
    assert ids[:-1] == sorted(sessions.rows(ids))
    assert sessions.rows([]) == {}


def test_rows_that_dynamodb_held_back_are_asked_for_again(
    table: Table, sessions: SessionsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    _claim(table)
    _claim(table, OTHER)
    client = sessions._table.meta.client  # noqa: SLF001 - DynamoDB holds rows back only under load
    read = client.batch_get_item

    def hold_back(RequestItems: Any) -> Any:  # noqa: ANN401, N803 - boto3's documents and names
        ((name, wanted),) = RequestItems.items()
        first, *rest = wanted["Keys"]
        page = read(RequestItems={name: wanted | {"Keys": [first]}})
        return page | {"UnprocessedKeys": {name: wanted | {"Keys": rest}} if rest else {}}

    monkeypatch.setattr(client, "batch_get_item", hold_back)
    assert {ID, OTHER} == set(sessions.rows([ID, OTHER]))


def test_what_holds_for_a_session_is_kept_on_a_live_row(table: Table, sessions: SessionsTable) -> None:
    _claim(table)
    limits = SessionLimits(idle_minutes=5, max_turns=3, budget_usd=Decimal("0.25"))
    wanted = WantedLimits(ready_for_review=False, comment_trigger=CommentTrigger.MENTIONS)
    sessions.record_config(ID, limits, wanted, host_header="public", has_workspace_user=True)
    assert _row(table)["host_header"] == "public"  # for the proxy, the functions do not read it
    session = sessions.get(ID)
    assert session.comment_trigger is CommentTrigger.MENTIONS
    assert (5, 3, Decimal("0.25"), False, True) == (
        session.idle_minutes,
        session.max_turns,
        session.budget_usd,
        session.ready_for_review,
        session.has_workspace_user,
    )


def test_the_model_that_was_chosen_last_is_kept_whatever_comes_when(table: Table, sessions: SessionsTable) -> None:
    _claim(table, status="STOPPED")
    for model, minute in (("claude-opus-5-5", 1), ("claude-sonnet-5", 3), ("claude-haiku-5-5", 2)):
        sessions.choose_model(ID, ModelChoice(model=model, at=f"2026-11-22T08:0{minute}:00.000Z"))
    chosen = sessions.get(ID).chosen_model
    assert chosen is not None
    assert (chosen.model, chosen.effort) == ("claude-sonnet-5", None)


def test_a_request_to_interrupt_is_kept_on_a_live_row_and_is_activity(table: Table, sessions: SessionsTable) -> None:
    _claim(table, status="RUNNING", idle_ends_at="2026-11-22T09:00:00.000Z")
    assert sessions.request_interrupt(ID, "01K0M1Z0000000000000000001")
    session = sessions.get(ID)
    assert (session.interrupt_id, session.idle_ends_at) == ("01K0M1Z0000000000000000001", None)
    _claim(table, OTHER, status="STOPPED")
    assert not sessions.request_interrupt(OTHER, "01K0M1Z0000000000000000001")


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING"])
def test_the_first_request_to_end_stands_in_every_live_state(
    table: Table, sessions: SessionsTable, status: str
) -> None:
    _claim(table, status=status)
    first = Ending(status=SessionStatus.STOPPED, reason="first")
    for ending in (first, Ending(status=SessionStatus.COMPLETED, reason="second")):
        asked = sessions.request_end(ID, ending)
        assert asked is not None
        assert first == asked.ending


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_session_is_not_asked_to_end(table: Table, sessions: SessionsTable, status: SessionStatus) -> None:
    _claim(table, status=status)
    assert sessions.request_end(ID, Ending(status=SessionStatus.STOPPED, reason="late")) is None
    assert "ending" not in _row(table)


def test_a_session_whose_row_has_expired_is_not_asked_to_end(sessions: SessionsTable) -> None:
    assert sessions.request_end(ID, Ending(status=SessionStatus.STOPPED, reason="late")) is None


def test_the_token_of_a_start_is_kept_while_the_session_starts(table: Table, sessions: SessionsTable) -> None:
    for status in ("QUEUED", "RUNNING"):
        _claim(table, status=status)
        sessions.record_start_token(ID, "t")
        assert "start_token" not in _row(table)
    _claim(table)
    sessions.record_start_token(ID, "t")
    assert _row(table)["start_token"] == "t"
