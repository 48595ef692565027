"""Whatever breaks between a transcript and an open page - stream, bucket, proxy - the page has each entry once."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, cast

from hypothesis import example, given
from hypothesis import strategies as st
from tests.kit.transcripts import Script

from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.session import Session, SessionStatus
from cloud_agent_proxy.session_page.conversation import Conversation, Known
from cloud_agent_proxy.session_page.events import read_events
from cloud_agent_proxy.session_page.objects import BucketUnavailableError
from cloud_agent_proxy.session_page.renderer import SessionPageRenderer
from cloud_agent_proxy.session_page.streams import Streams
from cloud_agent_proxy.session_page.transcripts import Transcripts
from cloud_agent_proxy.sessions_table import TranscriptLength

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from cloud_agent_proxy.directory import SessionDirectory

SESSION = Session(id="6020583d", status=SessionStatus.RUNNING)
RENDERER = SessionPageRenderer(ASSETS / "pages/session")
FOREVER = 1e12
IDS = re.compile(r"id: (.*)\n\n")


class Stack:
    """The bucket, the lengths and the row behind a proxy, which outlast it."""

    def __init__(self) -> None:
        self.script, self.history = Script(), Script()
        self.objects: dict[str, bytes] = {}
        self.length = TranscriptLength()
        self.down = False
        self._written = [0, 0]
        self._open_calls: list[str] = []

    async def get(self, key: str) -> bytes | None:
        await asyncio.sleep(0)
        if self.down:
            raise BucketUnavailableError(key)
        return self.objects[key]

    async def transcript_lengths(self, _: Sequence[str]) -> dict[str, TranscriptLength]:
        return {SESSION.id: self.length}

    async def note_watching(self, *_: object) -> None:
        """Nobody reads it."""

    async def current(self, _: str) -> Session:
        return SESSION

    def message(self) -> None:
        self.script.message(f"message {len(self.script.events)}")

    def call(self) -> None:
        self.script.tool("Bash", {"command": "npx vitest run"}, None)
        self._open_calls.append(self.script.events[-1]["id"])

    def result(self) -> None:
        if self._open_calls:
            call = self._open_calls.pop(0)
            self.script.add("tool_result", id=call, is_error=False, text=f"result {len(self.script.events)}")

    def status(self) -> None:
        self.history.add("status", status="RUNNING")

    def write(self) -> None:
        """Put what has happened since into the bucket, then say so in the table, as the functions do."""
        written = []
        for index, (stream, script) in enumerate((("agent", self.script), ("workflow", self.history))):
            batches = script.batches(3, self._written[index])
            begun = getattr(self.length, stream)
            for number, lines in enumerate(batches, begun + 1):
                self.objects[f"transcripts/{SESSION.id}/{stream}/{number:010d}.jsonl"] = lines
            self._written[index] = len(script.events)
            written.append(begun + len(batches))
        self.length = TranscriptLength(*written)


class Page:
    """What page.js does with the events of its stream."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.entries: dict[str, str] = {}
        self.known = Known()
        self._pending: asyncio.Task[str] | None = None
        self.crash()

    def crash(self) -> None:
        """Go on with a proxy that has just started: its memory is empty."""
        directory = cast("SessionDirectory", self.stack)
        self.streams = Streams(directory, self.stack, Transcripts(self.stack), RENDERER)
        self._open()

    async def cut(self) -> None:
        """Lose the connection, and what was on its way."""
        await self._drop()
        self._open()

    async def read(self, most: int = 1000) -> None:
        """Take what has been sent so far, at most so many events."""
        for _ in range(most):
            self._pending = self._pending or asyncio.ensure_future(anext(self._stream))
            for _ in range(5):
                await asyncio.sleep(0)
            if not self._pending.done():
                return
            self._take(self._pending.result())
            self._pending = None

    async def close(self) -> None:
        await self._drop()

    def _open(self) -> None:
        self._stream = cast("AsyncGenerator[str]", self.streams.open(SESSION, self.known, FOREVER))

    async def _drop(self) -> None:
        if self._pending:
            self._pending.cancel()
            await asyncio.wait({self._pending})
            self._pending = None
        await self._stream.aclose()

    def _take(self, sent: str) -> None:
        if identified := IDS.fullmatch(sent):
            self.known = Known.read(identified[1])
        elif sent.startswith("event: entry\n"):
            said = json.loads(sent.split("data: ", 1)[1])
            self.entries[said["id"]] = said["html"]


HAPPENS = ("message", "call", "result", "status", "write")
STEPS = st.lists(
    st.sampled_from((*HAPPENS, "look", "read", "read_one", "cut", "crash", "bucket_down", "bucket_up")), max_size=40
)


@given(STEPS)
@example(["message", "write", "look", "read_one", "read_one", "cut"])
@example(["message", "write", "look", "read_one", "read_one", "message", "write", "look", "read"])
@example(["call", "write", "look", "read", "crash", "result", "write", "bucket_down", "look", "cut", "read"])
def test_a_page_has_every_entry_once_as_it_is_now_whatever_broke_meanwhile(steps: list[str]) -> None:
    asyncio.run(_follow(steps))


async def _follow(steps: list[str]) -> None:
    stack = Stack()
    page = Page(stack)
    happen: dict[str, Callable[[], None]] = {name: getattr(stack, name) for name in HAPPENS}
    for step in [*steps, "bucket_up", "write", "look", "read"]:
        match step:
            case "look":
                await page.streams.look()
            case "read":
                await page.read()
            case "read_one":
                await page.read(1)
            case "cut":
                await page.cut()
            case "crash":
                await page.close()
                page.crash()
            case "bucket_down" | "bucket_up":
                stack.down = step == "bucket_down"
            case _:
                happen[step]()
    await page.close()
    whole = Conversation()
    for key in sorted(stack.objects):
        (whole.add if "/agent/" in key else whole.add_history)(read_events(stack.objects[key]))
    expected = {entry.id: RENDERER.entry(entry) for entry in whole.since(Known())}
    assert expected == page.entries
    for stream in "es":
        of_stream = [int(each[1:]) for each in page.entries if each[0] == stream]
        assert sorted(of_stream) == of_stream
