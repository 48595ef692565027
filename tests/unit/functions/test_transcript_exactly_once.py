"""The agent's own writer against the API's own appending, under whatever can go wrong between and in them.

S3 and DynamoDB are dictionaries that keep what those promise: a conditional write happens whole or not at all.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.kit.transcript_contract import objections_to_batch
from tests.kit.virtual_time import run

from cloud_agent.adapters.transcripts import Transcripts
from cloud_agent.domain.session.transcript import Stream, TranscriptBatch
from cloud_agent.domain.session.transcript_position import Position
from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.transcript.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

    Event = dict[str, Any]

# What becomes of a request: it's carried out; never arrives; its response is lost; it's delivered twice; the function
# ends before the object, or between object and row.
FATES = ("done", "lost", "response lost", "twice", "ended early", "ended between")
# What the agent goes through: so many events, a second and more of time, its end, or a crash that takes what waits.
STEPS = st.one_of(st.integers(1, 3), st.sampled_from(["time", "end", "crash"]))


class FunctionEndedError(Exception):
    """The function's worker is gone."""


class Store:
    """The bucket and the row of one session."""

    def __init__(self) -> None:
        self.objects: dict[int, bytes] = {}
        self.position = Position()
        self.fate = "done"

    def get(self, _session_id: str, _stream: Stream) -> Position:
        return self.position

    def advance(self, _session_id: str, _stream: Stream, position: Position) -> bool:
        if self.fate == "ended between":
            raise FunctionEndedError
        if position.batches != self.position.batches + 1:
            return False
        self.position = position
        return True

    def create(self, _session_id: str, _stream: Stream, batch: int, content: bytes) -> bool:
        if self.fate == "ended early":
            raise FunctionEndedError
        return self.objects.setdefault(batch, content) is content

    def read(self, _session_id: str, _stream: Stream, batch: int) -> bytes:
        return self.objects[batch]

    def texts(self) -> list[str]:
        """What a reader sees, which has to be as the contract says."""
        texts: list[str] = []
        for batch in range(1, self.position.batches + 1):
            assert objections_to_batch(self.objects[batch], len(texts) + 1) == []
            texts += [json.loads(line)["text"] for line in self.objects[batch].decode().splitlines()]
        assert len(texts) == self.position.events
        return texts


class NoMask:
    """Finds no secret."""

    async def over(self, events: list[Event]) -> list[Event]:
        return events

    async def aclose(self) -> None:
        """There's nothing to end."""


class Network:
    """Brings requests to the API, each to the next fate; when these are used up, all goes well."""

    def __init__(self, store: Store, fates: list[str]) -> None:
        self._store = store
        self._fates: Iterator[str] = iter(fates)
        self._transcripts = Transcripts.__new__(Transcripts)
        parts: Any = store
        self._transcripts._positions = self._transcripts._objects = parts  # noqa: SLF001 - in the place of AWS

    def respond(self, request: httpx.Request) -> httpx.Response:
        self._store.fate = fate = next(self._fates, "done")
        if fate == "lost":
            raise httpx.ConnectError("no route")
        try:
            response = self._append(request)
            if fate == "twice":
                response = self._append(request)
        except FunctionEndedError:
            return httpx.Response(500)
        if fate == "response lost":
            raise httpx.ReadTimeout("no response")
        return response

    def _append(self, request: httpx.Request) -> httpx.Response:
        report = TranscriptBatch.model_validate_json(request.content, strict=True)
        appended = self._transcripts.append("09e22a8b", Stream.AGENT, report.batch, report.events)
        position = appended.position
        state = {"accepted": appended.is_accepted, "next_batch": position.batches + 1, "full": position.is_full}
        return httpx.Response(200, json=state)


class Agents:
    """Agents of one session, each in the place of the one before."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.recorded: list[str] = []
        self.lost: set[str] = set()
        self._pending: list[str] = []
        self._begin()

    def _begin(self) -> None:
        transport = httpx.MockTransport(self._network.respond)
        api = AgentApi("https://api.example", SecretStr("s"), SecretStr("t"), transport=transport)
        mask: Any = NoMask()
        self._transcript = Transcript(api, mask)
        self._running = asyncio.create_task(self._transcript.run())

    def say(self, count: int) -> None:
        for _ in range(count):
            self.recorded.append(f"event {len(self.recorded)}")
            self._pending.append(self.recorded[-1])
            self._transcript.record("message", text=self.recorded[-1], parent=None)

    async def step(self, step: int | str) -> None:
        if isinstance(step, int):
            self.say(step)
        elif step == "time":
            await asyncio.sleep(1.2)
        else:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            if step == "end":
                await self._transcript.close(120)
            else:  # of a crash nobody can say what was sent
                self.lost |= set(self._pending)
            self._pending = []
            self._begin()


@settings(deadline=None)
@example([1, "time", "crash", 1, "end"], ["ended between"])
@given(st.lists(STEPS, max_size=12), st.lists(st.sampled_from(FATES), max_size=12))
def test_each_event_is_read_once_and_in_order_whatever_goes_wrong(steps: list[int | str], fates: list[str]) -> None:
    store = Store()

    async def live() -> Agents:
        agents = Agents(Network(store, fates))
        for step in steps:
            await agents.step(step)
            assert store.texts() == sorted(set(store.texts()), key=agents.recorded.index)
        await agents.step("end")
        return agents

    agents = run(live())

    read = store.texts()
    assert read == [text for text in agents.recorded if text in set(read)]  # in order, each once
    assert set(agents.recorded) - set(read) <= agents.lost
