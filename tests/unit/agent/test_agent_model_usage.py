from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from tests.kit.bedrock import event_exception, event_stream

from cloud_agent_runner.model.usage import Tokens, Usage, UsageReader, estimated_usage

SSE = "text/event-stream; charset=utf-8"
EVENT_STREAM = "application/vnd.amazon.eventstream"
START = {
    "type": "message_start",
    "message": {
        "model": "claude-sonnet-5",
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 700,
            "cache_read_input_tokens": 5_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 100},
            "output_tokens": 1,
            "inference_geo": "us",
        },
    },
}
TEXT = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x" * 300}}
ARGUMENTS = {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "x" * 60}}
THOUGHT = {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "x" * 40}}
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 160, "input_tokens": None, "server_tool_use": {"web_search_requests": 2}},
}
STREAM = [START, {"type": "ping"}, TEXT, ARGUMENTS, THOUGHT, END, {"type": "message_stop"}]
READ = Tokens(10, 160, 600, 100, 5_000, "claude-sonnet-5")


def _sse(events: list[dict[str, Any]]) -> bytes:
    return "".join(f"event: {event['type']}\r\ndata: {json.dumps(event)}\r\n\r\n" for event in events).encode()


@pytest.mark.parametrize(("content_type", "write"), [(SSE, _sse), (EVENT_STREAM, event_stream)])
@pytest.mark.parametrize("piece", [1, 100, 1_000_000])
def test_a_stream_is_read_however_it_is_cut_into_pieces(content_type: str, write: Any, piece: int) -> None:  # noqa: ANN401 - either
    reader, body = UsageReader(content_type), write(STREAM)
    for start in range(0, len(body), piece):
        reader.feed(body[start : start + piece])
    assert reader.usage == Usage((READ,), web_searches=2, in_the_us=True)


@pytest.mark.parametrize(("content_type", "write"), [(SSE, _sse), (EVENT_STREAM, event_stream)])
def test_a_stream_that_is_cut_off_counts_what_was_read_and_written_until_then(content_type: str, write: Any) -> None:  # noqa: ANN401 - either
    reader = UsageReader(content_type)
    assert reader.usage is None
    reader.feed(write(STREAM[:1]))
    assert reader.usage == Usage((Tokens(10, 1, 600, 100, 5_000, "claude-sonnet-5"),), in_the_us=True)
    reader.feed(write(STREAM[1:5]))
    assert reader.usage == Usage((Tokens(10, 100, 600, 100, 5_000, "claude-sonnet-5"),), in_the_us=True)


@pytest.mark.parametrize(("content_type", "write"), [(SSE, _sse), (EVENT_STREAM, event_stream)])
@pytest.mark.parametrize("last", [END, {"type": "error", "error": {"type": "overloaded_error"}}])
def test_a_stream_has_ended_once_the_api_has_counted_to_the_end_or_given_up(
    content_type: str,
    write: Any,  # noqa: ANN401 - either
    last: dict[str, Any],
) -> None:
    reader = UsageReader(content_type)
    reader.feed(write(STREAM[:5]))
    assert not reader.has_ended
    reader.feed(write([last]))
    assert reader.has_ended


def test_an_exception_in_bedrock_s_stream_ends_it() -> None:
    reader = UsageReader(EVENT_STREAM)
    reader.feed(event_exception("throttlingException"))
    assert (reader.has_ended, reader.usage) == (True, None)


@pytest.mark.parametrize("piece", [1, 1_000_000])
def test_a_whole_document_is_read(piece: int) -> None:
    usage = {**START["message"]["usage"], "output_tokens": 160, "server_tool_use": {"web_search_requests": 2}}  # type: ignore[index]
    content = [{"type": "tool_use", "input": {"a": {}}}]
    body = json.dumps({"type": "message", "model": "claude-sonnet-5", "content": content, "usage": usage}).encode()
    reader = UsageReader("application/json")
    for start in range(0, len(body), piece):
        reader.feed(body[start : start + piece])
    assert reader.usage == Usage((READ,), web_searches=2, in_the_us=True)


def test_where_passes_are_listed_each_counts_and_the_total_does_not() -> None:
    passes = [
        {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
        {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000},
        {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 7, "output_tokens": 8},
    ]
    usage = {"input_tokens": 23_000, "output_tokens": 1_000, "iterations": passes}
    reader = UsageReader("application/json")
    reader.feed(json.dumps({"type": "message", "model": "claude-sonnet-5", "usage": usage}).encode())
    assert reader.usage == Usage(
        (
            Tokens(180_000, 3_500, model="claude-sonnet-5"),
            Tokens(23_000, 1_000, model="claude-sonnet-5"),
            Tokens(7, 8, model="claude-opus-5"),
        )
    )


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (SSE, b"data: {nonsense\n\n"),
        (SSE, b'data: {"type": "message_start", "message": {"model": "x"}}\n\n'),
        (EVENT_STREAM, b"\x00" * 200),
        ("application/json", b"[1]"),
        ("text/html", b"<html>{}"),
    ],
)
def test_what_cannot_be_read_counts_as_not_seen(
    content_type: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader = UsageReader(content_type)
    reader.feed(body)
    reader.feed(b'data: {"type": "ping"}\n\n')
    assert reader.usage is None
    assert [r.message for r in caplog.records if r.levelno == logging.ERROR] in ([], ["usage not readable"])


def test_the_most_output_counts_for_the_last_pass_if_there_was_not_more() -> None:
    usage = Usage((Tokens(1, 2), Tokens(3, 40)), web_searches=1)
    assert usage.with_output(50) == Usage((Tokens(1, 2), Tokens(3, 50)), web_searches=1)
    assert usage.with_output(30) == usage


def test_an_estimate_follows_from_the_size_of_a_request_and_is_never_nothing() -> None:
    assert estimated_usage(0) == Usage((Tokens(input=1),))
    assert estimated_usage(4_000) == Usage((Tokens(input=1_001),))
    assert estimated_usage(30_000_000) == Usage((Tokens(input=200_000),))
