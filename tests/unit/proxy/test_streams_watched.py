"""While a page is open, the session's row says so, and what can't be written keeps nothing from the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.session import Session, SessionStatus
from cloud_agent_proxy.session_page import streams as streams_module
from cloud_agent_proxy.session_page.conversation import Known
from cloud_agent_proxy.session_page.renderer import SessionPageRenderer
from cloud_agent_proxy.session_page.streams import Streams
from cloud_agent_proxy.session_page.transcripts import Transcripts
from cloud_agent_proxy.sessions_table import TableUnavailableError, TranscriptLength

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import datetime

    from cloud_agent_proxy.directory import SessionDirectory

ID = "6020583d"
RENDERER = SessionPageRenderer(ASSETS / "pages/session")
FOREVER = 1e12


class Stack:
    """A session with one message, and what was noted of it."""

    def __init__(self, status: SessionStatus, *, takes_notes: bool = True) -> None:
        self.session = Session(id=ID, status=status)
        self.noted: list[str] = []
        self._takes_notes = takes_notes

    async def get(self, _key: str) -> bytes:
        return b'{"v":1,"seq":1,"at":"2026-11-22T08:00:00.000Z","kind":"message","text":"I begin.","parent":null}\n'

    async def transcript_lengths(self, _: Sequence[str]) -> dict[str, TranscriptLength]:
        return {ID: TranscriptLength(agent=1)}

    async def current(self, _: str) -> Session:
        return self.session

    async def note_watching(self, session_id: str, _at: datetime) -> None:
        self.noted.append(session_id)
        if not self._takes_notes:
            raise TableUnavailableError("UpdateItem on table sessions: throttled")


async def _looked_at(stack: Stack, times: int) -> str:
    """Have somebody open the page and the proxy look so often; return what the page was sent first."""
    whatever: Any = stack
    streams = Streams(cast("SessionDirectory", stack), whatever, Transcripts(whatever), RENDERER)
    stream = cast("AsyncGenerator[str]", streams.open(stack.session, Known(), FOREVER))
    await anext(stream)
    for _ in range(times):
        await streams.look()
    first = await anext(stream)
    await stream.aclose()
    return first


async def test_a_page_that_is_open_is_noted_at_once_and_then_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(SessionStatus.RUNNING)
    await _looked_at(stack, 3)
    assert stack.noted == [ID]
    monkeypatch.setattr(streams_module, "NOTE_SECONDS", 0)
    await _looked_at(stack, 3)
    assert stack.noted == [ID] * 4


@pytest.mark.parametrize("status", [one for one in SessionStatus if one is not SessionStatus.RUNNING])
async def test_a_session_that_does_not_run_has_no_agent_to_be_told(status: SessionStatus) -> None:
    stack = Stack(status)
    await _looked_at(stack, 3)
    assert stack.noted == []


async def test_a_note_that_is_not_taken_keeps_nothing_from_the_page() -> None:
    stack = Stack(SessionStatus.RUNNING, takes_notes=False)
    assert "I begin." in await _looked_at(stack, 3)
    assert stack.noted == [ID]
