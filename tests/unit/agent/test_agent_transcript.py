"""The transcript as the agent writes it: in order, once, masked, cut, and never in anybody's way."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from claude_agent_sdk import (
    AssistantMessage,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)
from pydantic import SecretStr, TypeAdapter
from tests.kit.virtual_time import run

from cloud_agent.domain.session.transcript import AgentEvent, TranscriptBatch
from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.transcript import events as limits
from cloud_agent_runner.transcript import transcript as writer
from cloud_agent_runner.transcript.claude_events import record_message
from cloud_agent_runner.transcript.events import fitting, new_event
from cloud_agent_runner.transcript.masking import MaskingError, SecretMask
from cloud_agent_runner.transcript.session_events import new_lines, record_service
from cloud_agent_runner.transcript.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

    Event = dict[str, Any]

EVENT: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)
TREE = Path("/home/workspace/repository")
TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"  # of the form of one


class NoMask:
    """Finds no secret."""

    async def over(self, events: list[Event]) -> list[Event]:
        return events

    async def aclose(self) -> None:
        """There's nothing to end."""


class FailingMask(NoMask):
    """Finds out nothing."""

    async def over(self, events: list[Event]) -> list[Event]:
        raise MaskingError(f"{len(events)} not read")


class Api:
    """Accepts batches as the Agent API does, unless it's down."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.times: list[float] = []
        self.is_down = False
        self.status = 200
        self.client = AgentApi(
            "https://api.example", SecretStr("s"), SecretStr("t"), transport=httpx.MockTransport(self._respond)
        )

    @property
    def texts(self) -> list[str]:
        return [event["text"] for batch in self.batches for event in batch]

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.times.append(asyncio.get_running_loop().time())
        if self.is_down:
            return httpx.Response(503)
        if self.status != 200:
            return httpx.Response(self.status, json={"message": "No."})
        body = TranscriptBatch.model_validate_json(request.content, strict=True)  # as the API reads it
        accepted = body.batch == len(self.batches) + 1
        if accepted:
            self.batches.append(json.loads(request.content)["events"])
        state = {"accepted": accepted, "next_batch": len(self.batches) + 1, "full": False}
        return httpx.Response(200, json=state)


def _transcript(api: Api, mask: Any = None) -> Transcript:  # noqa: ANN401 - a stand-in for a mask
    chosen: Any = mask or NoMask()
    return Transcript(api.client, chosen)


def _say(transcript: Transcript, *texts: str) -> None:
    for text in texts:
        transcript.record("message", text=text, parent=None)


def _exercise(work: Callable[[Api], Any]) -> Api:
    async def main() -> Api:
        api = Api()
        await work(api)
        return api

    return run(main())


def test_what_comes_within_a_second_is_one_request_and_silence_is_none() -> None:
    async def work(api: Api) -> None:
        transcript = _transcript(api)
        running = asyncio.create_task(transcript.run())
        await asyncio.sleep(3_600)
        assert api.times == []
        _say(transcript, "one")
        await asyncio.sleep(0.5)
        _say(transcript, "two")
        await asyncio.sleep(3_600)
        running.cancel()

    api = _exercise(work)
    assert [[event["text"] for event in batch] for batch in api.batches] == [["one", "two"]]
    assert api.times == [3_601.0]


def test_while_nobody_watches_ten_seconds_are_one_request_and_who_comes_waits_for_none() -> None:
    async def work(api: Api) -> None:
        transcript = _transcript(api)
        running = asyncio.create_task(transcript.run())
        transcript.watched(False)
        for number in range(13):
            _say(transcript, str(number))
            await asyncio.sleep(0.95)
        transcript.watched(True)
        await asyncio.sleep(0.5)
        _say(transcript, "seen at once")
        await asyncio.sleep(3_600)
        running.cancel()

    api = _exercise(work)
    assert [[event["text"] for event in batch] for batch in api.batches] == [
        [str(number) for number in range(11)],
        ["11", "12"],
        ["seen at once"],
    ]
    assert api.times == pytest.approx([10.0, 13 * 0.95, 13 * 0.95 + 1])


def test_events_outlast_an_outage_longer_than_the_clients_patience() -> None:
    async def work(api: Api) -> None:
        transcript, api.is_down = _transcript(api), True
        running = asyncio.create_task(transcript.run())
        _say(transcript, "before")
        await asyncio.sleep(1_000)
        _say(transcript, "meanwhile")
        api.is_down = False
        await asyncio.sleep(60)
        running.cancel()

    assert _exercise(work).texts == ["before", "meanwhile"]


def test_a_service_is_recorded_after_the_lines_that_say_why() -> None:
    async def work(api: Api) -> None:
        transcript = _transcript(api)
        record_service(transcript, "redis", "starting")
        record_service(transcript, "redis", "failed", "Address already in use")
        await transcript.close(5)

    (batch,) = _exercise(work).batches
    assert [(event["kind"], event.get("source"), event.get("state")) for event in batch] == [
        ("service", None, "starting"),
        ("log", "service:redis", None),
        ("service", None, "failed"),
    ]


def test_what_has_no_room_in_an_outage_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_LIMIT_BYTES", 1_000)

    async def work(api: Api) -> None:
        transcript = _transcript(api)
        _say(transcript, "x" * 700, "y" * 700, "z" * 700, "short")
        await transcript.close(5)

    texts = _exercise(work).texts
    assert texts == ["x" * 700, "short", "2 events" + writer._LEFT_OUT.removeprefix("{} events")]  # noqa: SLF001 - the text


def test_an_agent_that_takes_over_goes_on_behind_its_predecessor() -> None:
    async def work(api: Api) -> None:
        for text in ("first agent", "next agent"):
            transcript = _transcript(api)
            _say(transcript, text)
            await transcript.close(5)

    assert _exercise(work).texts == ["first agent", "next agent"]


def test_the_end_waits_for_the_last_events_but_not_for_an_api_that_is_down() -> None:
    async def work(api: Api) -> None:
        transcript, api.is_down = _transcript(api), True
        running = asyncio.create_task(transcript.run())
        _say(transcript, "last words")
        await asyncio.sleep(2)
        running.cancel()
        began = asyncio.get_running_loop().time()
        await transcript.close(5)
        assert asyncio.get_running_loop().time() - began <= 5
        _say(transcript, "too late")

    assert _exercise(work).batches == []


@pytest.mark.parametrize("status", [401, 409])
def test_a_session_that_takes_no_more_is_sent_no_more(status: int) -> None:
    async def work(api: Api) -> None:
        transcript, api.status = _transcript(api), status
        running = asyncio.create_task(transcript.run())
        _say(transcript, "one")
        await asyncio.sleep(10)
        assert running.done()
        assert running.exception() is None
        _say(transcript, "two")

    assert len(_exercise(work).times) == 1


def test_a_batch_that_the_api_refuses_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def work(api: Api) -> None:
        transcript, api.status = _transcript(api), 400
        running = asyncio.create_task(transcript.run())
        _say(transcript, "refused")
        await asyncio.sleep(10)
        api.status = 200
        _say(transcript, "accepted")
        await asyncio.sleep(10)
        running.cancel()

    assert _exercise(work).texts == ["accepted"]
    assert "transcript refused" in caplog.messages


def test_a_batch_is_never_larger_than_the_api_accepts() -> None:
    async def work(api: Api) -> None:
        transcript = _transcript(api)
        _say(transcript, *["x" * 15_000] * 40, *["y"] * 1_200)
        await transcript.close(5)

    api = _exercise(work)
    assert api.texts == ["x" * 15_000] * 40 + ["y"] * 1_200
    assert max(len(batch) for batch in api.batches) == limits.EVENTS_LIMIT


def test_texts_that_nobody_could_search_for_secrets_are_not_sent() -> None:
    async def work(api: Api) -> None:
        transcript = _transcript(api, FailingMask())
        _say(transcript, "one", "two")
        await transcript.close(5)

    (notice,) = _exercise(work).texts
    assert notice == "2 events couldn't be searched for secrets, so they aren't recorded."


# Secrets


def _members(secret: str) -> list[tuple[str, Event]]:
    text = f"before {secret} after"
    prompt = {"id": "0" * 26, "kind": "comment", "author": text, "requested_by": text}
    return [
        ("message", {"text": text, "parent": None}),
        ("thinking", {"text": text, "parent": None}),
        ("tool_call", {"id": "t", "tool": text, "input": {"a": [{"b": text}], text: 1}, "parent": None}),
        ("tool_result", {"id": "t", "is_error": False, "text": text}),
        ("file_change", {"id": "t", "path": text, "diff": f"+{secret}"}),
        ("todo", {"items": [{"text": text, "status": "pending"}]}),
        ("commit", {"sha": "a" * 40, "subject": text, "additions": 1, "deletions": 0}),
        ("command", {"name": "stop", "author": text, "url": text}),
        ("preview", {"state": "live", "detail": text}),
        ("log", {"source": "install", "text": text}),
        ("service", {"name": text, "state": "live"}),
        ("notice", {"text": text}),
        ("picture", {"page": f"/{secret}", "width": 390, "before": "a" * 64, "after": "a" * 64}),
        ("prompt", {"prompt": {**prompt, "url": text, "title": text, "body": text}}),
        (
            "turn_finished",
            {"is_error": False, "interrupted": False, "turns": 1, "cost_usd": 0.1, "head_sha": None, "result": text},
        ),
    ]


async def test_secrets_are_masked_in_every_text_of_every_kind() -> None:
    mask = SecretMask(lambda: {"hunter2-of-the-repository", "pending", "comment", "live", "install", "a" * 64})
    given = [new_event(kind, None, members) for kind, members in _members("hunter2-of-the-repository")]
    found = [new_event(kind, None, members) for kind, members in _members(TOKEN)]
    try:
        masked = await mask.over(given + found)
    finally:
        await mask.aclose()

    text = json.dumps(masked)
    assert "hunter2" not in text
    assert TOKEN not in text
    assert text.count("***") >= len(given + found)
    for event in masked:  # also where a secret is the same word as one of the supervisor's
        EVENT.validate_json(json.dumps(event), strict=True)


async def test_an_answer_that_nobody_awaited_is_not_taken_for_the_next() -> None:
    mask = SecretMask(tuple)
    try:
        asking = asyncio.create_task(mask.over([new_event("notice", None, {"text": TOKEN})]))
        await asyncio.sleep(0.2)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        (event,) = await mask.over([new_event("notice", None, {"text": "The token is in the vault."})])
    finally:
        await mask.aclose()

    assert event["text"] == "The token is in the vault."


# Limits


@pytest.mark.parametrize("text", ["x" * 100_000, "😀" * 100_000, "\0" * 100_000, "cut off \ud83d" + "y" * 70_000])
@pytest.mark.parametrize("kind", ["message", "tool_result"])
def test_a_long_text_is_cut_and_says_by_how_much(kind: str, text: str) -> None:
    own = {"parent": None} if kind == "message" else {"id": "t", "is_error": False}
    event = fitting(new_event(kind, None, {"text": text, **own}))

    EVENT.validate_json(json.dumps(event), strict=True)
    assert len(event["text"]) + event["cut"]["text"] == len(text)
    assert limits.size(event) <= limits.EVENT_LIMIT_BYTES


@pytest.mark.parametrize(
    "arguments",
    [
        {"content": "x" * 1_000_000, "file_path": "a"},
        {str(number): "x" * 5_000 for number in range(200)},
        {"numbers": list(range(100_000))},
        {"nan": float("nan"), "deep": {"er": [float("inf")]}},
    ],
)
def test_whatever_a_tool_is_given_can_be_sent(arguments: dict[str, Any]) -> None:
    members = {"id": "t" * 500, "tool": "Write", "input": arguments, "parent": None}
    event = fitting(new_event("tool_call", None, members))

    EVENT.validate_json(json.dumps(event, allow_nan=False), strict=True)
    assert limits.size(event) <= limits.EVENT_LIMIT_BYTES


def test_a_cut_argument_is_named_by_its_path() -> None:
    members = {"id": "t", "tool": "Write", "input": {"content": "x" * 84_000}, "parent": None}
    assert fitting(new_event("tool_call", None, members))["cut"] == {"input.content": 80_000}


# What Claude Code says


def _recorded(*messages: Any) -> list[tuple[str, Event]]:  # noqa: ANN401 - the SDK's messages
    found: list[tuple[str, Event]] = []

    class Recorder:
        def record(self, kind: str, **members: object) -> None:
            EVENT.validate_json(json.dumps(fitting(new_event(kind, None, members))), strict=True)
            found.append((kind, members))

    recorder: Any = Recorder()
    for message in messages:
        record_message(recorder, TREE, message)
    return found


def test_claudes_messages_become_events_in_their_order() -> None:
    todos = [{"content": "Look", "status": "completed", "activeForm": "Looking"}, {"content": "x", "status": "?"}]
    said = AssistantMessage(
        content=[
            ThinkingBlock(thinking="Hm.", signature="s"),
            TextBlock(text="<pages>\n/menu\n</pages>"),
            TextBlock(text="I'll edit it.\n<question>\nOK?\n</question>\n<pull-request>\nEdit it\n</pull-request>"),
            ToolUseBlock(id="t1", name="Edit", input={"file_path": f"{TREE}/a.py"}),
            ToolUseBlock(id="t2", name="TodoWrite", input={"todos": todos}),
        ],
        model="m",
        parent_tool_use_id=None,
    )
    patch = [{"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-a", "+b"]}]
    done = UserMessage(
        content=[ToolResultBlock(tool_use_id="t1", content=[{"type": "text", "text": "ok"}, {"type": "image"}])],
        tool_use_result={"filePath": f"{TREE}/a.py", "structuredPatch": patch},
    )

    recorded = _recorded(said, done)

    assert [kind for kind, _ in recorded] == [
        *("thinking", "message", "tool_call", "tool_call", "todo"),
        *("tool_result", "file_change"),
    ]
    assert recorded[1][1]["text"] == "I'll edit it.\n\nOK?"
    assert recorded[2][1]["input"] == {"file_path": "a.py"}
    assert recorded[4][1] == {"items": [{"text": "Look", "status": "completed"}]}
    assert recorded[5][1]["text"] == "ok\n(image)"
    assert recorded[6][1] == {"id": "t1", "path": "a.py", "diff": "@@ -1,1 +1,1 @@\n-a\n+b"}


@pytest.mark.parametrize(
    "result",
    [None, {}, {"filePath": 1}, {"filePath": "a", "structuredPatch": 1}, {"filePath": "a", "structuredPatch": [1, {}]}],
)
def test_a_forged_result_breaks_nothing(result: Any) -> None:  # noqa: ANN401 - whatever a command writes
    forged = UserMessage(content=[ToolResultBlock(tool_use_id="t", content=None)], tool_use_result=result)
    assert _recorded(forged)[0] == ("tool_result", {"id": "t", "is_error": False, "text": ""})


@pytest.mark.parametrize(
    ("before", "now", "added"),
    [
        ([], ["a"], ["a"]),
        (["a"], ["a", "b"], ["b"]),
        (["a", "b"], ["b", "c", "d"], ["c", "d"]),
        (["a", "a"], ["a", "a"], []),
        (["a"], ["x"], ["x"]),
    ],
)
def test_of_last_lines_the_new_ones_are_recorded(before: list[str], now: list[str], added: list[str]) -> None:
    assert new_lines(before, now) == added
