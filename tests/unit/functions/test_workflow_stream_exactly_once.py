"""The publisher's recording of statuses and commands, under whatever can end or overtake it.

S3 and DynamoDB are dictionaries that keep what those promise: a conditional write happens whole or not at all.
"""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.kit.sessions import a_session

from cloud_agent.adapters.table.keys import commands_key
from cloud_agent.adapters.transcripts import Transcripts
from cloud_agent.domain.session.session import Session, SessionStatus, timestamp
from cloud_agent.domain.session.transcript import CommandEvent
from cloud_agent.domain.session.transcript_position import Position
from cloud_agent.publisher import transcript
from cloud_agent.publisher.handler import changes_of

if TYPE_CHECKING:
    from cloud_agent.domain.session.transcript import Stream

ID = "09e22a8b"
LIVE = [SessionStatus.QUEUED, SessionStatus.STARTING, SessionStatus.RUNNING]
# The row's next status, a command, or an invocation and what becomes of it: it's done; ends early, before the object,
# or between object and row; another one overtakes it once it has read the row, which by then has the next status.
STEPS = st.sampled_from(
    [*LIVE, "command", "done", "ended early", "ended between", *(("overtaken", status) for status in LIVE)]
)


class InvocationEndedError(Exception):
    """The function's worker is gone."""


class System:
    """A session's row, its transcript in the bucket, and the function that follows the one with the other."""

    def __init__(self) -> None:
        self.status = SessionStatus.QUEUED
        self.history = [self.status]
        self.commands: list[CommandEvent] = []
        self._objects: dict[int, bytes] = {}
        self._position = Position()
        self._fate: Any = "done"

    def change(self, status: SessionStatus) -> None:
        self.status = status
        self.history.append(status)

    def command(self) -> None:
        number = len(self.commands)
        command = {"kind": "command", "at": timestamp(), "prompt_id": None, "name": "status", "url": ""}
        self.commands.append(CommandEvent.model_validate(command | {"author": f"p-{number}"}))

    def of(self, _session_id: str) -> list[CommandEvent]:
        return list(self.commands)

    def invoke(self, fate: object = "done") -> None:
        self._fate = fate
        context: Any = type("Context", (), {"sessions": _Rows(self)})()
        configured: Any = type("Settings", (), {"sessions_table": "", "artifacts_bucket": ""})()
        with suppress(InvocationEndedError):
            transcript.record_what_happened(context, configured, ID)

    def read(self) -> Session:
        session = a_session(status=self.status)
        if isinstance(self._fate, tuple):
            self.change(self._fate[1])
            self.invoke()
        return session

    def get(self, _session_id: str, _stream: Stream) -> Position:
        return self._position

    def advance(self, _session_id: str, _stream: Stream, position: Position) -> bool:
        if self._fate == "ended between":
            raise InvocationEndedError
        if position.batches != self._position.batches + 1:
            return False
        self._position = position
        return True

    def create(self, _session_id: str, _stream: Stream, batch: int, content: bytes) -> bool:
        if self._fate == "ended early":
            raise InvocationEndedError
        return self._objects.setdefault(batch, content) is content

    def object(self, batch: int) -> bytes:
        return self._objects[batch]

    def recorded(self) -> tuple[list[str], list[str]]:
        """The statuses, and the authors of the commands, that a reader sees."""
        batches = [self._objects[batch] for batch in range(1, self._position.batches + 1)]
        events = [json.loads(line) for batch in batches for line in batch.splitlines()]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return [event["status"] for event in events if event["kind"] == "status"], [
            event["author"] for event in events if event["kind"] == "command"
        ]


class _Rows:
    def __init__(self, system: System) -> None:
        self._system = system

    def get(self, _session_id: str) -> Session:
        return self._system.read()


class _Objects:
    def __init__(self, system: System) -> None:
        self.create, self._system = system.create, system

    def read(self, _session_id: str, _stream: Stream, batch: int) -> bytes:
        return self._system.object(batch)


def test_a_command_is_news_for_the_transcript_alone() -> None:
    keys = {name: {"S": value} for name, value in commands_key(ID).items()}
    changes = changes_of([{"eventName": "INSERT", "dynamodb": {"Keys": keys}}])
    assert (list(changes.commanded), changes.sessions) == ([ID], {})


def is_in_order(part: list[str], whole: list[SessionStatus]) -> bool:
    left = iter(map(str, whole))
    return all(one in left for one in part)


@settings(deadline=None)
@example(["ended between", SessionStatus.RUNNING, "done"])
@example(["command", "ended between", "command", "done"])
@example(["done", ("overtaken", SessionStatus.STARTING), ("overtaken", SessionStatus.RUNNING)])
@given(st.lists(STEPS, max_size=15))
def test_statuses_and_commands_are_recorded_in_order_and_none_twice_whatever_goes_wrong(steps: list[Any]) -> None:
    system = System()
    transcripts: Any = Transcripts.__new__(Transcripts)
    transcripts._positions, transcripts._objects = system, _Objects(system)  # noqa: SLF001 - in the place of AWS
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transcript, "Transcripts", lambda *_: transcripts)
        patched.setattr(transcript, "AcceptedCommands", lambda *_: system)
        for step in [*steps, "done"]:
            if isinstance(step, SessionStatus):
                system.change(step)
            elif step == "command":
                system.command()
            else:
                system.invoke(step)
            recorded, authors = system.recorded()
            given = [command.author for command in system.commands]
            assert authors == given[: len(authors)]
            assert step != "done" or authors == given
            assert is_in_order(recorded, system.history)
            assert all(one != following for one, following in pairwise(recorded))
            assert step != "done" or recorded[-1] == system.status
