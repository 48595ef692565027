"""The workflow's own stream of a session's transcript: statuses, commands, and at the end the execution's states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.accepted_commands import AcceptedCommands
from cloud_agent.adapters.transcripts import Transcripts
from cloud_agent.domain.session.executed_states import execution_events
from cloud_agent.domain.session.session import timestamp
from cloud_agent.domain.session.transcript import TEXT_LIMIT, StatusEvent, Stream
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.session.session import Session
    from cloud_agent.domain.session.transcript import TranscriptEvent
    from cloud_agent.publisher.context import PublishingContext
    from cloud_agent.settings import PublisherSettings


def record_what_happened(context: PublishingContext, settings: PublisherSettings, session_id: str) -> None:
    """Guarantee that the transcript has the session's status and all commands: each is recorded once, in order.

    Where a status followed another before this could look, only the later one is recorded. The rows are read after the
    stream's position, and written at that position alone: what's read here is newer than all that the stream has.
    """
    transcripts = Transcripts(settings.sessions_table, settings.artifacts_bucket)
    commands = AcceptedCommands(settings.sessions_table)
    while True:
        position = transcripts.position(session_id, Stream.WORKFLOW)
        if position.is_full:
            return
        events: Sequence[TranscriptEvent] = commands.of(session_id)[position.commands :]
        if not events:
            now, session = timestamp(), context.sessions.get(session_id)
            if position.status == session.status:
                return
            events = _events(session, now)
        if transcripts.append(session_id, Stream.WORKFLOW, position.batches + 1, events).is_accepted:
            logger.info("recorded in the transcript", extra={"events": len(events)})


def _events(session: Session, now: str) -> list[TranscriptEvent]:
    """Return the status, and of a session that has ended the states that its execution was in.

    Its last state closes the row and is about to end: it's read as it is by now, and nobody waits for it.
    """
    reason, at = (session.end_reason or "")[:TEXT_LIMIT], session.ended_at or now
    status = StatusEvent(kind="status", at=at, prompt_id=None, status=session.status, reason=reason)
    if session.status.is_live:
        return [status]
    return [status, *execution_events(Workflow().history(session.execution_arn), at)]
