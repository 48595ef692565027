"""The session's own events: its model and limits, its services, its preview, and what writes lines beside them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from cloud_agent_runner.model.budget import ModelBudget
    from cloud_agent_runner.model.choice import ModelChoice
    from cloud_agent_runner.preview.preview import Preview
    from cloud_agent_runner.preview.services.services import ServiceState
    from cloud_agent_runner.repository.config import ServiceName
    from cloud_agent_runner.transcript.transcript import Transcript

_LOOK_SECONDS = 1.0
_LIVE_LOOK_SECONDS = 10.0  # what a dev server writes of each request isn't worth a request of ours


def record_session(transcript: Transcript, choice: ModelChoice, budget: ModelBudget, idle_minutes: int | None) -> None:
    """Record by which model the session goes on, and how far it may go."""
    limits = {"max_turns": budget.max_turns, "budget_usd": budget.budget_usd, "idle_minutes": idle_minutes}
    transcript.record("session", model=choice.model, effort=choice.effort, limits=limits)


def record_service(transcript: Transcript, name: ServiceName, state: ServiceState, lines: str = "") -> None:
    """Record how a service is from now on, after the lines that say why."""
    if lines:
        transcript.record("log", source=f"service:{name}", text=lines)
    transcript.record("service", name=name, state=state)


async def record_preview(
    preview: Preview,
    transcript: Transcript,
    *,
    look_seconds: float = _LOOK_SECONDS,
    live_look_seconds: float = _LIVE_LOOK_SECONDS,
) -> NoReturn:
    """Record how the preview is whenever that changes, and the new lines of its log, until cancelled."""
    clock = asyncio.get_running_loop().time
    recorded, lines, looked_at = None, list[str](), -live_look_seconds
    while True:
        report = preview.report
        if (report.state, report.detail) != recorded:
            recorded = report.state, report.detail
            transcript.record("preview", state=report.state, detail=report.detail)
        if report.state != "live" or clock() - looked_at >= live_look_seconds:
            looked_at = clock()
            source, now = preview.output()
            if added := new_lines(lines, now):
                transcript.record("log", source=source, text="\n".join(added))
            lines = now
        await asyncio.sleep(look_seconds)


def new_lines(before: list[str], now: list[str]) -> list[str]:
    """Return what was added, of last lines that were looked at twice; all of them if they have nothing in common."""
    for shared in range(min(len(before), len(now)), 0, -1):
        if before[-shared:] == now[:shared]:
            return now[shared:]
    return now
