"""A session's transcript: each event once and in order, whatever is sent twice, too late or by another agent."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.agent_api_contract import AgentApiContract
from tests.kit.sessions import SAMPLED_SESSION, a_sampled_row
from tests.kit.transcript_contract import objections_to_batch

from cloud_agent.adapters.table import transcript_positions
from cloud_agent.adapters.table.keys import transcript_key
from cloud_agent.adapters.table.transcript_positions import TranscriptPositions
from cloud_agent.agent_api.handler import handler
from cloud_agent.domain.session import transcript_position
from cloud_agent.domain.session.transcript import BATCH_LIMIT_BYTES, EVENTS_LIMIT, TEXT_LIMIT, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.service_resource import Bucket
    from tests.unit.functions.conftest import Context

    Event = dict[str, Any]
    Send = Callable[..., tuple[int, dict[str, Any]]]


def _message(text: object = "Hello.", **changes: object) -> Event:
    event = {"kind": "message", "at": "2026-11-22T08:00:04.120Z", "prompt_id": None, "text": text, "parent": None}
    return event | changes


def _accepted(next_batch: int) -> tuple[int, dict[str, Any]]:
    return 200, {"accepted": True, "next_batch": next_batch, "full": False}


def _not_accepted(next_batch: int) -> tuple[int, dict[str, Any]]:
    return 200, {"accepted": False, "next_batch": next_batch, "full": False}


@pytest.fixture
def send(
    environment: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
    table: Table,
    bucket: Bucket,
    context: Context,
) -> Send:
    """Send a batch as the agent of a running session does; returns status and body, which are as the contract says."""
    table.put_item(Item=a_sampled_row())
    contract = AgentApiContract()

    def post(batch: object, *events: object, **members: object) -> tuple[int, dict[str, Any]]:
        event = sample("agent_api/transcript.json")
        event["body"] = json.dumps({"batch": batch, "events": events} | members)
        response = handler(event, context)
        assert contract.objections_to_response("POST", "/agent/transcript", *_parts(response)) == []
        return int(response["statusCode"]), json.loads(response["body"])

    return post


def _parts(response: dict[str, Any]) -> tuple[int, bytes]:
    return int(response["statusCode"]), str.encode(response["body"])


def _texts(bucket: Bucket, table: Table, stream: Stream = Stream.AGENT) -> list[str]:
    """What a reader finds of the stream: each batch up to the number in the row, by its name alone."""
    batches = int(str(table.get_item(Key=transcript_key(SAMPLED_SESSION)).get("Item", {}).get(f"{stream}_batches", 0)))
    texts: list[str] = []
    for batch in range(1, batches + 1):
        content = bucket.Object(f"transcripts/{SAMPLED_SESSION}/{stream}/{batch:010d}.jsonl").get()["Body"].read()
        assert objections_to_batch(content, len(texts) + 1) == []
        texts += [json.loads(line)["text"] for line in content.decode().splitlines()]
    return texts


def test_events_are_numbered_in_the_order_in_which_they_come(send: Send, bucket: Bucket, table: Table) -> None:
    assert send(1, _message("one"), _message("two")) == _accepted(2)
    assert send(2, _message("three")) == _accepted(3)

    assert _texts(bucket, table) == ["one", "two", "three"]
    (first, _) = sorted(bucket.objects.all(), key=lambda one: one.key)
    assert first.Object().content_type == "application/jsonl; charset=utf-8"


def test_an_event_keeps_the_members_that_its_writer_gave_it(send: Send, bucket: Bucket) -> None:
    strange = _message("\u2028 ü \x1b[31m </script>\n", cut={"text": 3}, prompt_id="0" * 26)
    assert send(1, strange) == _accepted(2)

    content = bucket.Object(f"transcripts/{SAMPLED_SESSION}/agent/0000000001.jsonl").get()["Body"].read()
    assert content.count(b"\n") == 1
    assert json.loads(content) == {"v": 1, "seq": 1, **strange}


def test_a_batch_that_is_sent_again_is_accepted_and_kept_once(send: Send, bucket: Bucket, table: Table) -> None:
    for _ in range(2):
        assert send(1, _message("one")) == _accepted(2)
    send(2, _message("two"))
    assert send(2, _message("two")) == _accepted(3)

    assert _texts(bucket, table) == ["one", "two"]


@pytest.mark.parametrize("batch", [1, 3, 50])
def test_a_batch_that_is_not_the_next_one_changes_nothing(send: Send, bucket: Bucket, table: Table, batch: int) -> None:
    send(1, _message("one"))

    assert send(batch, _message("other")) == _not_accepted(2)

    assert _texts(bucket, table) == ["one"]
    assert len(list(bucket.objects.all())) == 1


def test_an_agent_that_takes_over_is_told_where_to_go_on(send: Send, bucket: Bucket, table: Table) -> None:
    send(1, _message("one"))
    send(2, _message("two"))

    _, state = send(1, _message("from the next agent"))
    assert send(state["next_batch"], _message("from the next agent")) == _accepted(4)

    assert _texts(bucket, table) == ["one", "two", "from the next agent"]


@pytest.fixture
def ends_between_object_and_position(monkeypatch: pytest.MonkeyPatch) -> Callable[[Send, Event], None]:
    """Send the first batch to a worker that ends once it has written the object."""

    def attempt(send: Send, event: Event) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(TranscriptPositions, "advance", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                send(1, event)

    return attempt


def test_a_batch_whose_position_was_not_written_is_completed_by_its_repeat(
    send: Send, bucket: Bucket, table: Table, ends_between_object_and_position: Callable[[Send, Event], None]
) -> None:
    ends_between_object_and_position(send, _message("one"))
    assert _texts(bucket, table) == []

    assert send(1, _message("one")) == _accepted(2)
    assert _texts(bucket, table) == ["one"]


def test_what_an_agent_left_behind_comes_before_what_the_next_one_says(
    send: Send, bucket: Bucket, table: Table, ends_between_object_and_position: Callable[[Send, Event], None]
) -> None:
    ends_between_object_and_position(send, _message("left behind"))

    assert send(1, _message("new")) == _not_accepted(2)
    assert send(2, _message("new")) == _accepted(3)
    assert _texts(bucket, table) == ["left behind", "new"]


def test_of_two_deliveries_at_once_both_are_accepted_and_one_is_kept(
    send: Send, bucket: Bucket, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = TranscriptPositions.advance

    def overtaken(*arguments: Any) -> bool:  # noqa: ANN401 - the method's own
        assert advance(*arguments)  # the other delivery's
        return advance(*arguments)

    monkeypatch.setattr(TranscriptPositions, "advance", overtaken)

    assert send(1, _message("one")) == _accepted(2)
    assert _texts(bucket, table) == ["one"]


def test_the_batch_after_a_limit_says_that_the_transcript_is_full(
    send: Send, bucket: Bucket, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript_position, "BYTES_LIMIT", 200)
    send(1, _message("x" * 200))

    full = (200, {"accepted": False, "next_batch": 3, "full": True})
    assert send(2, _message("two")) == full
    assert send(2, _message("two")) == full
    assert send(3, _message("two")) == full
    assert _texts(bucket, table) == ["x" * 200, transcript_position.FULL]


def test_so_many_requests_of_s3_are_as_good_as_so_many_bytes(
    send: Send, bucket: Bucket, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript_position, "BATCHES_LIMIT", 1)
    send(1, _message("one"))

    assert send(2, _message("two"))[1]["full"] is True
    assert _texts(bucket, table) == ["one", transcript_position.FULL]


def test_the_position_expires_as_the_session_does(send: Send, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript_positions, "expiry_after_end", lambda: 7)
    send(1, _message())

    assert table.get_item(Key=transcript_key(SAMPLED_SESSION))["Item"]["expires_at"] == 7


def test_a_session_that_is_asked_to_end_still_says_its_last(send: Send, table: Table) -> None:
    table.put_item(Item=a_sampled_row(ending={"status": "STOPPED", "reason": "Stopped."}))

    assert send(1, _message()) == _accepted(2)


def test_an_ended_session_says_nothing_more(send: Send, table: Table) -> None:
    table.put_item(Item=a_sampled_row(status="STOPPED"))

    assert send(1, _message())[0] == 409


@pytest.mark.parametrize(
    "wrong",
    [
        _message(seq=1),
        _message(kind="status"),
        _message(at="2026-11-22T08:00:04Z"),
        _message(at="2026-11-22T08:00:04.120+01:00"),
        _message(text=1),
        _message(text="x" * (TEXT_LIMIT + 1)),
        _message(parent=1),
        _message(cut={"text": "3"}),
        _message(cut={"text": -1}),
        _message(prompt_id="../../x"),
        {"kind": "message", "at": "2026-11-22T08:00:04.120Z", "text": "no prompt_id", "parent": None},
        {"kind": "log", "at": "2026-11-22T08:00:04.120Z", "prompt_id": None, "source": "service:", "text": ""},
        {"kind": "tool_call", "at": "2026-11-22T08:00:04.120Z", "prompt_id": None, "input": []},
        "text",
    ],
)
def test_an_event_that_is_not_as_described_is_refused_with_its_batch(
    send: Send, bucket: Bucket, table: Table, wrong: object
) -> None:
    assert send(1, _message(), wrong)[0] == 400
    assert _texts(bucket, table) == []


@pytest.mark.parametrize(
    ("batch", "events"),
    [
        (0, [_message()]),
        ("1", [_message()]),
        (1.5, [_message()]),
        (1, []),
        (1, [_message("")] * (EVENTS_LIMIT + 1)),
        (1, [_message("ü" * TEXT_LIMIT)] * (BATCH_LIMIT_BYTES // (2 * TEXT_LIMIT) + 1)),
    ],
    ids=["none", "text", "no integer", "no events", "too many", "too large"],
)
def test_a_batch_is_numbered_from_one_and_bounded(
    send: Send, bucket: Bucket, table: Table, batch: object, events: list[Event]
) -> None:
    assert send(batch, *events)[0] == 400
    assert list(bucket.objects.all()) == []


def test_the_largest_batch_is_accepted(send: Send) -> None:
    assert send(1, *[_message("ü" * (TEXT_LIMIT - 200))] * (BATCH_LIMIT_BYTES // (2 * TEXT_LIMIT))) == _accepted(2)
    assert send(2, *[_message("")] * EVENTS_LIMIT) == _accepted(3)


def test_numbers_that_json_does_not_have_become_null(send: Send, bucket: Bucket) -> None:
    call = {"kind": "tool_call", "id": "t", "tool": "Bash", "input": {"n": float("nan")}, "parent": None}
    send(1, {"at": "2026-11-22T08:00:04.120Z", "prompt_id": None} | call)

    content = bucket.Object(f"transcripts/{SAMPLED_SESSION}/agent/0000000001.jsonl").get()["Body"].read()
    assert json.loads(content, parse_constant=pytest.fail)["input"] == {"n": None}
