"""`/.uat/events`: an open page gets what it doesn't have yet, once, whatever becomes of its connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.integration.proxy.visitor import access
from tests.kit.transcripts import Script, sample, sample_history, sample_row

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, StartProxy
    from tests.integration.proxy.session_page.conftest import Recorder


@dataclass
class Reader:
    """What a page does: keeps entries by their ids, and resumes after the last number it was told."""

    proxy: Proxy
    session_id: str
    last_id: str = ""
    entries: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    """The ids of the entries, as often as they came."""
    ended: bool = False

    @contextlib.asynccontextmanager
    async def stream(self, headers: dict[str, str] | None = None) -> AsyncIterator[httpx.Response]:
        resuming = {"Last-Event-ID": self.last_id} if self.last_id else {}
        async with (
            self.proxy.client(self.session_id, resuming | (headers or {})) as client,
            client.stream("GET", "/.uat/events?after=0", timeout=30) as response,
        ):
            yield response

    async def read_until(
        self, last_id: int | str | None = None, *, part: str = "", words: str = "", seconds: int = 30
    ) -> None:
        """Read until the stream has this id, or a part has these words, or it ends."""
        async with asyncio.timeout(seconds), self.stream() as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            kind = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    self._take(kind, json.loads(value))
                elif name == "id":
                    self.last_id = value
                if self.ended or self.last_id == str(last_id) or (part and words in self.parts.get(part, "")):
                    return

    def _take(self, kind: str, members: dict[str, str]) -> None:
        if kind == "entry":
            self.entries[members["id"]] = members["html"]
            self.received.append(members["id"])
        elif kind == "part":
            self.parts[members["id"]] = members["html"]
        else:
            self.ended = True


async def test_what_is_new_comes_by_itself(proxy: Proxy, recorder: Recorder) -> None:
    script = Script()
    script.message("the first")
    session_id = recorder.put(script.batches(), **sample_row())
    reader = Reader(proxy, session_id)
    reading = asyncio.create_task(reader.read_until(2))
    await asyncio.sleep(0.5)
    script.message("the second")
    recorder.extend(session_id, script.batches(first=1), known=1)
    await reading
    assert reader.received == ["e1", "e2"]
    assert "the second" in reader.entries["e2"]


async def test_an_open_page_is_noted_on_the_row_of_a_session_that_runs(proxy: Proxy, recorder: Recorder) -> None:
    script = Script()
    script.message("the first")
    running, over = (recorder.put(script.batches(), **sample_row() | {"status": one}) for one in ("RUNNING", "FAILED"))
    for session_id in (running, over):
        assert recorder.table.moment(session_id, "last_watched_at") is None
        await Reader(proxy, session_id).read_until(1)

    await asyncio.to_thread(eventually, lambda: recorder.table.moment(running, "last_watched_at") is not None)
    assert recorder.table.moment(running, "last_visited_at") is None, "to look at it isn't to visit the preview"
    assert recorder.table.moment(over, "last_watched_at") is None


async def test_a_stream_that_is_cut_again_and_again_loses_and_doubles_nothing(proxy: Proxy, recorder: Recorder) -> None:
    script = sample()
    batches = script.batches(4)
    session_id = recorder.put(batches[:1], **sample_row())
    reader, whole = Reader(proxy, session_id), Reader(proxy, session_id)
    following = asyncio.create_task(whole.read_until(len(script.events), seconds=60))
    for known in range(1, len(batches)):
        recorder.extend(session_id, batches[known : known + 1], known=known)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(secrets.choice([0.05, 0.4, 1.1])):
                await reader.read_until()
    await reader.read_until(len(script.events))
    await following
    assert reader.entries == whole.entries
    assert list(reader.entries) == sorted(reader.entries, key=lambda name: int(name[1:]))
    assert len(reader.entries) == sum(
        event["kind"] in {"prompt", "message", "thinking", "tool_call", "commit", "turn_finished"}
        for event in script.events
    )


async def test_a_status_comes_once_whatever_becomes_of_the_stream(proxy: Proxy, recorder: Recorder) -> None:
    script, history = Script(), sample_history(ended=True)
    script.message("the first")
    session_id = recorder.put(script.batches(), **sample_row())
    recorder.extend(session_id, history.batches(1)[:2], workflow=True)
    reader = Reader(proxy, session_id)
    await reader.read_until("1.2")
    recorder.extend(session_id, history.batches(1)[2:], known=2, workflow=True)
    await reader.read_until(part="history", words="Announce Session")
    assert reader.last_id == f"1.{len(history.events)}"
    assert reader.received == ["s1", "s2", "e1", "s3", "s4"]
    assert "Session failed" in reader.entries["s4"]


async def test_what_is_beside_the_conversation_follows_the_row(proxy: Proxy, recorder: Recorder) -> None:
    session_id = recorder.put([], **sample_row())
    reader = Reader(proxy, session_id)
    await reader.read_until(part="state", words="Waiting for a comment")
    recorder.table.put(id=session_id, **sample_row() | {"status": "STARTING"})
    await reader.read_until(part="state", words="Starting")


async def test_a_stream_ends_with_the_session_and_misses_none_of_its_last_words(
    proxy: Proxy, recorder: Recorder
) -> None:
    script = Script()
    script.message("before the end")
    session_id = recorder.put(script.batches(), **sample_row())
    whole, cut = Reader(proxy, session_id), Reader(proxy, session_id)
    await cut.read_until(1)
    reading = asyncio.create_task(whole.read_until())
    recorder.table.put(id=session_id, **sample_row() | {"status": "STOPPED", "end_reason": "By a test."})
    script.message("last words")
    recorder.extend(session_id, script.batches(first=1), known=1)
    await asyncio.gather(reading, cut.read_until())
    for reader in (whole, cut):
        assert reader.ended
        assert reader.received == ["e1", "e2"]
        assert "Stopped" in reader.parts["state"]


async def test_the_page_says_how_many_are_looking(proxy: Proxy, recorder: Recorder) -> None:
    session_id = recorder.put([], **sample_row())
    others = [Reader(proxy, session_id) for _ in range(2)]
    reading = [asyncio.create_task(other.read_until()) for other in others]
    await Reader(proxy, session_id).read_until(part="viewers", words="3 people are looking")
    for task in reading:
        task.cancel()


async def test_only_who_may_see_the_session_gets_a_stream(gated: Proxy, recorder: Recorder) -> None:
    session_id = recorder.put(sample().batches(), **sample_row())
    reader = Reader(gated, session_id)
    async with reader.stream() as response:
        assert response.status_code == 401
    async with reader.stream(access(session_id)) as response:
        assert response.status_code == 200


async def test_a_stream_ends_with_the_visitors_access(gated: Proxy, recorder: Recorder) -> None:
    session_id = recorder.put([], **sample_row())
    async with asyncio.timeout(20), Reader(gated, session_id).stream(access(session_id, seconds=2)) as response:
        assert response.status_code == 200
        async for _ in response.aiter_bytes():  # ends by itself
            pass


async def test_one_session_has_no_more_streams_than_it_may_and_takes_none_from_the_others(
    proxy: Proxy, recorder: Recorder, haproxy_command: HaproxyCommand
) -> None:
    crowded, other = recorder.put([], **sample_row()), recorder.put([], **sample_row())
    async with contextlib.AsyncExitStack() as streams:
        for _ in range(300):
            response = await streams.enter_async_context(Reader(proxy, crowded).stream())
            assert response.status_code == 200
        async with Reader(proxy, crowded).stream() as refused:
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        async with Reader(proxy, other).stream() as response:
            assert response.status_code == 200
        assert crowded not in await haproxy_command(proxy, "show table visits")
    async with Reader(proxy, crowded).stream() as response:  # once they have left
        assert response.status_code in {200, 503}


async def test_a_proxy_that_stops_does_not_wait_for_its_streams(start_proxy: StartProxy, recorder: Recorder) -> None:
    session_id = recorder.put([], **sample_row())
    with start_proxy() as proxy:
        async with Reader(proxy, session_id).stream() as response:
            assert response.status_code == 200
            proxy.process.terminate()
            async with asyncio.timeout(10):
                with contextlib.suppress(httpx.HTTPError):
                    async for _ in response.aiter_bytes():
                        pass
                assert await asyncio.to_thread(proxy.process.wait, 10) == 0


@pytest.mark.parametrize("last_id", ["x", "-1", "9" * 40, ""])
async def test_a_number_that_is_none_begins_at_the_beginning(proxy: Proxy, recorder: Recorder, last_id: str) -> None:
    script = Script()
    script.message("hello")
    reader = Reader(proxy, recorder.put(script.batches(), **sample_row()), last_id=last_id)
    await reader.read_until(1)
    assert reader.received == ["e1"]
