"""The row of slots, the queue that moves on, and the state that takes a slot: what runs twice gives no slot twice."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent import queue
from cloud_agent.adapters.table.keys import SLOTS_KEY, session_key
from cloud_agent.adapters.table.slots import Granted, Slots
from cloud_agent.domain.errors import SessionNotFoundError, SessionOverError
from cloud_agent.domain.policy.slots import Occupancy, SlotLimits
from cloud_agent.workflow import take_slot

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.conftest import Context

LIMITS = SlotLimits(sessions=2, sessions_per_repository=1)
A, B = "acme/a", "acme/b"


@pytest.fixture
def slots(table: Table) -> Slots:
    """The row as the webhook guarantees it."""
    slots = Slots(table.name)
    slots.ensure()
    return slots


@pytest.fixture
def come(table: Table, slots: Slots) -> Callable[..., None]:
    """Do what the state "Claim Session" does: a session's row, and its place in the queue."""
    clock = itertools.count(1)

    def claim(session_id: str, repo: str = A, since: str = "", **attributes: object) -> None:
        row: dict[str, Any] = {"session_id": session_id, "status": "QUEUED", "repository_id": 1, "repo": repo}
        table.put_item(Item=session_key(session_id) | row | attributes)
        table.update_item(
            Key=SLOTS_KEY,
            UpdateExpression="SET waiting.#session = :entry ADD version :one",
            ExpressionAttributeNames={"#session": session_id},
            ExpressionAttributeValues={":entry": {"repo": repo, "since": since or f"{next(clock):03}"}, ":one": 1},
        )

    return claim


def row_of(table: Table, session_id: str) -> dict[str, Any]:
    return dict(table.get_item(Key=session_key(session_id))["Item"])


def write(table: Table, session_id: str, name: str, value: object) -> None:
    """Give the session's row an attribute."""
    table.update_item(
        Key=session_key(session_id),
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},  # type: ignore[dict-item]  # any value
    )


def granted_ids(slots: Slots) -> list[str]:
    return [granted.session_id for granted in slots.assign(LIMITS)]


def test_the_row_is_made_once_and_keeps_what_is_in_it(slots: Slots, come: Callable[..., None]) -> None:
    come("1")
    come("2")
    assert granted_ids(slots) == ["1"]
    before = slots.occupancy()
    slots.ensure()
    assert before == slots.occupancy()
    assert (before.live, [each.session_id for each in before.waiting], before.version) == ({"1": A}, ["2"], 3)


def test_an_occupancy_can_be_read_before_there_is_a_row(table: Table) -> None:
    assert Occupancy({}, (), 0) == Slots(table.name).occupancy()


def test_free_slots_go_to_those_who_came_first_as_far_as_the_limits_let_them(
    table: Table, slots: Slots, come: Callable[..., None]
) -> None:
    for session_id, repo in (("1", A), ("2", A), ("3", B), ("4", "acme/c")):
        come(session_id, repo)
    assert granted_ids(slots) == ["1", "3"]
    occupancy = slots.occupancy()
    assert occupancy.live == {"1": A, "3": B}
    assert [each.session_id for each in occupancy.waiting] == ["2", "4"]
    assert [row_of(table, each)["status"] for each in "1234"] == ["STARTING", "QUEUED", "STARTING", "QUEUED"]
    assert "started_at" in row_of(table, "1")
    assert granted_ids(slots) == []


def test_a_freed_slot_goes_to_the_next(slots: Slots, come: Callable[..., None]) -> None:
    for session_id, repo in (("1", A), ("2", B), ("3", B), ("4", A)):
        come(session_id, repo)
    assert granted_ids(slots) == ["1", "2"]
    slots.free("1")
    assert granted_ids(slots) == ["4"]
    slots.free("2")
    assert granted_ids(slots) == ["3"]


def test_whoever_asked_first_is_first_even_if_its_claim_was_made_later(slots: Slots, come: Callable[..., None]) -> None:
    come("1")
    come("2", since="000")
    assert granted_ids(slots) == ["2"]


def test_a_session_is_freed_wherever_it_stands_and_once(slots: Slots, come: Callable[..., None]) -> None:
    come("1")
    come("2")
    assert granted_ids(slots) == ["1"]
    for session_id in ("1", "2"):
        slots.free(session_id)
    freed = slots.occupancy()
    assert (freed.live, freed.waiting) == ({}, ())
    slots.free("1")
    slots.free("never came")
    assert freed == slots.occupancy()


def test_freeing_before_there_is_a_row_does_nothing(table: Table) -> None:
    Slots(table.name).free("1")
    assert table.scan()["Items"] == []


def test_every_write_changes_the_version(slots: Slots, come: Callable[..., None]) -> None:
    versions = [slots.occupancy().version]
    for change in (lambda: come("1"), lambda: list(slots.assign(LIMITS)), lambda: slots.free("1")):
        change()
        versions.append(slots.occupancy().version)
    assert versions == [0, 1, 2, 3]


def test_the_token_of_a_wait_is_handed_out_with_the_slot_and_is_gone_from_the_row(
    table: Table, slots: Slots, come: Callable[..., None]
) -> None:
    come("1", A, start_token="token-1")
    come("2", B)
    assert [Granted("1", "token-1"), Granted("2", None)] == list(slots.assign(LIMITS))
    assert "start_token" not in row_of(table, "1")


@pytest.mark.parametrize(
    "attributes",
    [{"ending": {"status": "STOPPED", "reason": "x"}}, {"status": "STOPPED"}, {"status": "STARTING"}],
)
def test_a_session_that_is_to_end_or_waits_no_longer_is_passed_over(
    table: Table, slots: Slots, come: Callable[..., None], attributes: dict[str, Any]
) -> None:
    come("1", A, **attributes)
    come("2", A)
    before = row_of(table, "1")
    assert granted_ids(slots) == ["2"]
    assert before == row_of(table, "1")
    assert [each.session_id for each in slots.occupancy().waiting] == ["1"]


def test_a_session_whose_row_is_gone_is_passed_over(table: Table, slots: Slots, come: Callable[..., None]) -> None:
    come("1")
    come("2")
    table.delete_item(Key=session_key("1"))
    assert granted_ids(slots) == ["2"]


def meanwhile(slots: Slots, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, after a decision has been read and before it is written."""
    grant: Callable[..., bool] = slots._grant  # noqa: SLF001 - the one place between reading and writing

    def late(*arguments: Any) -> bool:  # noqa: ANN401 - as given
        monkeypatch.setattr(slots, "_grant", grant)
        happens()
        return grant(*arguments)

    monkeypatch.setattr(slots, "_grant", late)


@pytest.mark.parametrize("before", [{}, {"start_token": "of the wait before"}])
def test_a_wait_that_begins_while_its_slot_is_given_is_woken(
    table: Table,
    slots: Slots,
    come: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    before: dict[str, str],
) -> None:
    come("1", A, **before)
    meanwhile(slots, monkeypatch, lambda: write(table, "1", "start_token", "of this wait"))
    assert [Granted("1", "of this wait")] == list(slots.assign(LIMITS))


def test_a_session_that_is_asked_to_end_while_its_slot_is_given_gets_none(
    table: Table, slots: Slots, come: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    come("1")
    come("2")
    meanwhile(slots, monkeypatch, lambda: write(table, "1", "ending", {}))
    assert granted_ids(slots) == ["2"]
    assert row_of(table, "1")["status"] == "QUEUED"


def test_two_who_give_slots_at_the_same_moment_do_not_give_one_twice(
    table: Table, slots: Slots, come: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    come("1")
    come("2")
    other: list[str] = []
    meanwhile(slots, monkeypatch, lambda: other.extend(granted_ids(Slots(table.name))))
    assert granted_ids(slots) == []
    assert other == ["1"]
    assert slots.occupancy().live == {"1": A}


def test_a_slot_that_somebody_else_takes_meanwhile_is_not_given_away(
    table: Table, slots: Slots, come: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    come("1")
    taken: dict[str, Any] = {":live": {"8": B, "9": "acme/c"}, ":one": 1}

    def take_all() -> None:
        table.update_item(
            Key=SLOTS_KEY, UpdateExpression="SET live = :live ADD version :one", ExpressionAttributeValues=taken
        )

    meanwhile(slots, monkeypatch, take_all)
    assert granted_ids(slots) == []
    assert taken[":live"] == slots.occupancy().live


def test_a_slot_that_others_keep_changing_is_left_to_them(
    slots: Slots, come: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    come("1")
    monkeypatch.setattr("cloud_agent.adapters.table.slots._LONGEST_PAUSE_SECONDS", 0)
    monkeypatch.setattr(slots, "_grant", lambda *_: False)
    assert granted_ids(slots) == []


def test_whoever_is_given_a_slot_is_told(
    slots: Slots, come: Callable[..., None], step_functions: StepFunctions
) -> None:
    come("1", A, start_token="token-1")
    come("2", B)
    assert queue.move_on(slots, LIMITS) == ["1", "2"]
    assert step_functions.succeeded == [("token-1", {})]


def test_one_whose_wait_is_over_finds_its_slot_by_itself(
    slots: Slots, come: Callable[..., None], step_functions: StepFunctions, logs: io.StringIO
) -> None:
    step_functions.late["token-1"] = "TaskTimedOut"
    come("1", A, start_token="token-1")
    assert queue.move_on(slots, LIMITS) == ["1"]
    assert slots.occupancy().live == {"1": A}
    assert "session not notified of its slot" not in logs.getvalue()


def test_one_who_cannot_be_told_keeps_its_slot_and_keeps_nobody_from_theirs(
    slots: Slots, come: Callable[..., None], step_functions: StepFunctions, logs: io.StringIO
) -> None:
    step_functions.late["token-1"] = "AccessDeniedException"
    come("1", A, start_token="token-1")
    come("2", B, start_token="token-2")
    assert queue.move_on(slots, LIMITS) == ["1", "2"]
    assert step_functions.succeeded == [("token-2", {})]
    assert "session not notified of its slot" in logs.getvalue()


@pytest.fixture
def event(
    environment: Callable[..., None], sample: Callable[[str], dict[str, Any]], come: Callable[..., None]
) -> dict[str, Any]:
    """The sample of "Take Slot"; its session is claimed."""
    environment(MAX_SESSIONS=str(LIMITS.sessions), MAX_SESSIONS_PER_REPOSITORY=str(LIMITS.sessions_per_repository))
    event = sample("take_slot.json")
    names = ("session_id", "repository_id", "repo", "issue_number", "issue_key", "branch")
    row = {name: event["session"][name] for name in names}
    row |= {"token_hash": "", "execution_arn": event["execution_arn"], "created_at": ""}
    come(**row)
    return event


def test_a_session_takes_a_free_slot_once(event: dict[str, Any], table: Table, slots: Slots, context: Context) -> None:
    session_id = event["session"]["session_id"]
    for _ in range(2):
        assert take_slot.handler(event, context) == {"taken": True, "place": None}
    assert {session_id: event["session"]["repo"]} == slots.occupancy().live
    assert row_of(table, session_id)["status"] == "STARTING"


def test_a_session_without_a_free_slot_hears_its_place(
    event: dict[str, Any], table: Table, slots: Slots, context: Context
) -> None:
    held = {"8": "some/other", "9": "some/other"}
    table.update_item(Key=SLOTS_KEY, UpdateExpression="SET live = :held", ExpressionAttributeValues={":held": held})
    for _ in range(2):
        assert take_slot.handler(event, context) == {"taken": False, "place": 1}
    assert row_of(table, event["session"]["session_id"])["status"] == "QUEUED"


def test_a_session_that_was_given_its_slot_before_it_asked_has_taken_it(
    event: dict[str, Any], slots: Slots, context: Context
) -> None:
    assert [event["session"]["session_id"]] == granted_ids(slots)
    assert take_slot.handler(event, context) == {"taken": True, "place": None}


@pytest.mark.parametrize(
    "attributes", [{"status": "STOPPED"}, {"ending": {"status": "STOPPED", "reason": "The issue was closed."}}]
)
def test_a_session_that_is_over_or_to_end_takes_no_slot(
    event: dict[str, Any], table: Table, slots: Slots, context: Context, attributes: dict[str, Any]
) -> None:
    session_id = event["session"]["session_id"]
    table.put_item(Item=row_of(table, session_id) | attributes)
    with pytest.raises(SessionOverError, match=session_id):
        take_slot.handler(event, context)
    assert slots.occupancy().live == {}


def test_a_session_of_another_execution_is_not_answered_for(
    event: dict[str, Any], table: Table, context: Context
) -> None:
    with pytest.raises(SessionNotFoundError):
        take_slot.handler(event | {"execution_arn": "arn:another"}, context)
