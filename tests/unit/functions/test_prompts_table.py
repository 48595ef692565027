"""What a session is asked: each thing once, in order, answered once, whatever comes twice or at the same moment."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import BotocoreStubber
from tests.kit.sessions import a_row

from cloud_agent.adapters.table.keys import session_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation.prompts import (
    INITIAL_PROMPT_ID,
    Prompt,
    PromptKind,
    PromptState,
    follow_up_id,
    inherited,
)
from cloud_agent.domain.conversation.turn_results import TurnResult
from cloud_agent.domain.session.session import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest
    from moto.core.common_types import TYPE_RESPONSE
    from mypy_boto3_dynamodb.service_resource import Table

ID, OTHER = "09e22a8b", "0badcafe"
WRITTEN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ENDED = [SessionStatus.COMPLETED, SessionStatus.STOPPED, SessionStatus.FAILED]


@pytest.fixture
def prompts(table: Table) -> Prompts:
    return Prompts(table.name)


def _claim(table: Table, session_id: str = ID, status: str = "RUNNING", **attributes: Any) -> None:  # noqa: ANN401 - a row's values
    table.put_item(Item=a_row(session_id, status=status, **attributes))


def _row(table: Table, session_id: str = ID) -> dict[str, Any]:
    return dict(table.get_item(Key=session_key(session_id))["Item"])


def _prompt(comment_id: int = 7, body: str = "Please.", minute: int = 0) -> Prompt:
    created_at = WRITTEN.replace(minute=minute)
    return Prompt(
        id=follow_up_id(PromptKind.COMMENT, comment_id, created_at),
        kind=PromptKind.COMMENT,
        body=body,
        author="octo-dev",
        url="https://github.com/acme/storefront/pull/43#issuecomment-7",
        created_at=created_at.isoformat(),
        comment_id=comment_id,
    )


def _issue() -> Prompt:
    changes = {"id": INITIAL_PROMPT_ID, "kind": PromptKind.ISSUE, "comment_id": None, "title": "Show the total"}
    return _prompt().model_copy(update=changes)


def _answer(prompt_id: str, result: str = "Done.") -> TurnResult:
    return TurnResult(prompt_id=prompt_id, is_error=False, result=result, created_at="2026-11-22T10:05:00.000Z")


def _canceled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "as told"},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


def test_the_issue_is_the_first_prompt_however_often_it_is_stored(prompts: Prompts) -> None:
    for _ in range(2):
        prompts.put(ID, _issue())
    assert [_issue()] == prompts.of(ID)


def test_the_issue_stored_again_is_not_to_be_answered_again(prompts: Prompts) -> None:
    prompts.put(ID, _issue())
    prompts.record_turn_result(ID, _answer(INITIAL_PROMPT_ID))
    prompts.put(ID, _issue())
    assert prompts.unanswered(ID) == []


@pytest.mark.parametrize("body", ["", "x" * 65_536, "😀" * 65_536, "```\n</details>\r\n\u0001"])
def test_a_hard_body_comes_back_as_it_was(table: Table, prompts: Prompts, body: str) -> None:
    _claim(table)
    assert prompts.add(ID, _prompt(body=body))
    assert [body] == [prompt.body for prompt in prompts.of(ID)]


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING"])
def test_a_follow_up_is_stored_once_while_the_session_is_live(table: Table, prompts: Prompts, status: str) -> None:
    _claim(table, status=status, idle_ends_at="2026-11-22T10:10:00.000Z")
    for _ in range(3):
        assert prompts.add(ID, _prompt())
    assert [_prompt()] == prompts.of(ID)
    row = _row(table)
    assert "idle_ends_at" not in row
    assert row["last_active_at"].endswith("Z")


def test_a_prompt_that_waits_is_replaced_or_cancelled_and_its_session_counts_that(
    table: Table, prompts: Prompts
) -> None:
    _claim(table)
    prompts.add(ID, _prompt())
    edited = _prompt(body="In green, please.")
    assert prompts.replace(ID, edited)
    assert prompts.of(ID) == [edited]
    assert prompts.cancel(ID, edited.id)
    assert (prompts.unanswered(ID), prompts.take(ID, edited.id)) == ([], False)
    assert not prompts.cancel(ID, edited.id)
    assert _row(table)["prompt_edits"] == 2


def test_a_prompt_that_claude_has_begun_to_work_on_is_neither_replaced_nor_cancelled(
    table: Table, prompts: Prompts
) -> None:
    _claim(table)
    prompts.add(ID, _prompt())
    prompts.take(ID, _prompt().id)
    assert not prompts.replace(ID, _prompt(body="In green, please."))
    assert not prompts.cancel(ID, _prompt().id)
    assert [prompt.body for prompt in prompts.unanswered(ID)] == ["Please."]
    assert "prompt_edits" not in _row(table)


@pytest.mark.parametrize("status", ENDED)
def test_a_follow_up_of_an_ended_session_is_refused(table: Table, prompts: Prompts, status: SessionStatus) -> None:
    _claim(table, status=status)
    before = _row(table)
    assert not prompts.add(ID, _prompt())
    assert ([], before) == (prompts.of(ID), _row(table))


def test_a_follow_up_of_an_unknown_session_is_refused(prompts: Prompts) -> None:
    assert not prompts.add(ID, _prompt())
    assert prompts.of(ID) == []


def test_a_second_delivery_changes_nothing_whatever_has_become_of_the_first(table: Table, prompts: Prompts) -> None:
    _claim(table)
    prompts.add(ID, _prompt())
    prompts.take(ID, _prompt().id)
    assert prompts.add(ID, _prompt())
    assert [prompt.state for prompt in prompts.of(ID)] == [PromptState.TAKEN]
    prompts.record_turn_result(ID, _answer(_prompt().id))
    assert prompts.add(ID, _prompt(body="edited since"))
    assert [(prompt.body, prompt.state) for prompt in prompts.of(ID)] == [("Please.", PromptState.ANSWERED)]


def test_prompts_stand_in_the_order_in_which_people_wrote_them(table: Table, prompts: Prompts) -> None:
    _claim(table)
    later, earlier, same_second = _prompt(8, minute=2), _prompt(9, minute=1), _prompt(10, minute=1)
    for prompt in (later, same_second, earlier):
        prompts.add(ID, prompt)
    prompts.put(ID, _issue())
    prompts.put(OTHER, _issue())
    assert [_issue(), earlier, same_second, later] == prompts.of(ID)


def test_more_prompts_than_one_page_holds_are_read(table: Table, prompts: Prompts) -> None:
    _claim(table)
    for number in range(20):
        prompts.add(ID, _prompt(number, "x" * 65_536))
    assert list(range(20)) == [prompt.comment_id for prompt in prompts.of(ID)]


def test_a_prompt_is_taken_and_answered_once(table: Table, prompts: Prompts) -> None:
    _claim(table)
    prompts.add(ID, _prompt())
    prompt_id = _prompt().id
    assert prompts.take(ID, prompt_id)
    assert prompts.take(ID, prompt_id)
    assert [prompt_id] == [prompt.id for prompt in prompts.unanswered(ID)]
    assert prompts.record_turn_result(ID, _answer(prompt_id, "first"))
    assert not prompts.record_turn_result(ID, _answer(prompt_id, "second"))
    assert not prompts.take(ID, prompt_id)
    assert prompts.unanswered(ID) == []
    assert [_answer(prompt_id, "first")] == prompts.turn_results_of(ID)


def test_a_prompt_may_be_answered_though_its_start_was_not_reported(table: Table, prompts: Prompts) -> None:
    _claim(table)
    prompts.add(ID, _prompt())
    assert prompts.record_turn_result(ID, _answer(_prompt().id))
    assert [prompt.state for prompt in prompts.of(ID)] == [PromptState.ANSWERED]


def test_a_prompt_that_nobody_wrote_is_neither_taken_nor_answered(prompts: Prompts) -> None:
    assert not prompts.take(ID, _prompt().id)
    assert not prompts.record_turn_result(ID, _answer(_prompt().id))
    assert (prompts.of(ID), prompts.turn_results_of(ID)) == ([], [])


def test_answers_stand_in_the_order_of_their_prompts(table: Table, prompts: Prompts) -> None:
    _claim(table)
    first, second = _prompt(minute=1), _prompt(minute=2)
    for prompt in (first, second):
        prompts.add(ID, prompt)
    for prompt in (second, first):
        prompts.record_turn_result(ID, _answer(prompt.id))
    assert [first.id, second.id] == [answer.prompt_id for answer in prompts.turn_results_of(ID)]


def test_what_a_session_left_unanswered_is_taken_over_once(table: Table, prompts: Prompts) -> None:
    _claim(table)
    prompts.put(ID, _issue())
    answered, taken, pending = (_prompt(minute=minute) for minute in (1, 2, 3))
    for prompt in (answered, taken, pending):
        prompts.add(ID, prompt)
    prompts.record_turn_result(ID, _answer(answered.id))
    prompts.take(ID, taken.id)
    prompts.put(OTHER, _issue())

    prompts.take_over(inherited(prompts.unanswered(ID), has_failed=False).taken_over, OTHER)
    assert [_issue(), taken, pending] == prompts.of(OTHER)
    prompts.record_turn_result(OTHER, _answer(taken.id))
    prompts.take_over(inherited(prompts.unanswered(ID), has_failed=False).taken_over, OTHER)
    assert [_issue(), pending] == prompts.unanswered(OTHER)


def test_every_row_of_a_session_expires(table: Table, prompts: Prompts) -> None:
    _claim(table)
    prompts.add(ID, _prompt())
    prompts.record_turn_result(ID, _answer(_prompt().id))
    rows = [row for row in table.scan()["Items"] if row["sk"] != "SESSION"]
    assert len(rows) == 2
    assert all(29 * 86_400 < int(str(row["expires_at"])) - time.time() < 31 * 86_400 for row in rows)


@pytest.fixture
def one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads' requests reach the table in any order, but never at once: moto's tables bear no second thread."""
    lock, process = Lock(), BotocoreStubber.process_request

    def process_alone(stubber: BotocoreStubber, request: AWSPreparedRequest) -> TYPE_RESPONSE | None:
        with lock:
            return process(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process_alone)


@pytest.mark.usefixtures("one_request_at_a_time")
def test_a_comment_and_an_end_at_the_same_moment_lose_nothing(table: Table, prompts: Prompts) -> None:
    """Either the session was live, then the prompt is there; or it was over, and whoever asked is told so."""
    sessions = SessionsTable(table.name)
    for round_ in range(10):
        session_id = f"{round_:08x}"
        _claim(table, session_id)
        session = sessions.get(session_id)
        with ThreadPoolExecutor(max_workers=2) as pool:
            added = pool.submit(prompts.add, session_id, _prompt())
            pool.submit(sessions.close, session, SessionStatus.STOPPED, "The issue was closed.").result()
        assert added.result() == (prompts.of(session_id) != [])


def test_a_write_that_meets_another_is_tried_again(
    table: Table, prompts: Prompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    _claim(table)
    refusals = [_canceled("TransactionConflict", "None"), _canceled("TransactionConflict", "TransactionConflict")]
    monkeypatch.setattr(prompts._client, "transact_write_items", _refusing(prompts, refusals))  # noqa: SLF001 - moto has no conflicts
    assert prompts.add(ID, _prompt())
    assert ([], [_prompt()]) == (refusals, prompts.of(ID))


@pytest.mark.parametrize(
    ("codes", "error"),
    [(("TransactionConflict", "None"), "TransactionCanceled"), (("None", "ThrottlingError"), "TransactionCanceled")],
)
def test_a_write_that_cannot_be_made_is_not_taken_for_made(
    table: Table, prompts: Prompts, monkeypatch: pytest.MonkeyPatch, codes: tuple[str, str], error: str
) -> None:
    _claim(table)
    refusing = _refusing(prompts, [_canceled(*codes) for _ in range(50)])
    monkeypatch.setattr(prompts._client, "transact_write_items", refusing)  # noqa: SLF001 - moto has no conflicts
    monkeypatch.setattr("cloud_agent.adapters.table.contention._LONGEST_PAUSE_SECONDS", 0)
    with pytest.raises(ClientError, match=error):
        prompts.add(ID, _prompt())


def test_a_plain_write_that_meets_a_transaction_is_tried_again(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    _claim(table)
    sessions = SessionsTable(table.name)
    write = sessions._table.update_item  # noqa: SLF001 - moto has no conflicts
    conflict: Any = {"Error": {"Code": "TransactionConflictException", "Message": "as told"}}
    refusals = [ClientError(conflict, "UpdateItem")] * 3

    def update(**arguments: Any) -> Any:  # noqa: ANN401 - boto3's documents
        if refusals:
            raise refusals.pop()
        return write(**arguments)

    monkeypatch.setattr(sessions._table, "update_item", update)  # noqa: SLF001 - as above
    assert sessions.record_activity(ID, {"activity": "turn_started"})
    assert _row(table)["activity"] == "turn_started"


def _refusing(prompts: Prompts, refusals: list[ClientError]) -> Callable[..., Any]:
    write = prompts._client.transact_write_items  # noqa: SLF001 - moto has no conflicts

    def transact(**arguments: Any) -> Any:  # noqa: ANN401 - boto3's documents
        if refusals:
            refusal = refusals.pop()
            raise prompts._client.exceptions.TransactionCanceledException(refusal.response, "TransactWriteItems")  # noqa: SLF001 - as above
        return write(**arguments)

    return transact
