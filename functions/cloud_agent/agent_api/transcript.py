"""What Claude does, for whoever wants to see it, now or later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from cloud_agent.adapters.transcripts import Transcripts
from cloud_agent.agent_api.requests import open_live_session
from cloud_agent.agent_api.responses import Picture, TranscriptState
from cloud_agent.agent_api.routes import Routes
from cloud_agent.domain.session.picture import BODY_LIMIT, PictureReport
from cloud_agent.domain.session.transcript import Stream, TranscriptBatch
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

routes = Routes()


@routes.report("/agent/transcript", TypeAdapter(TranscriptBatch), TranscriptState, opened=open_live_session)
def transcript(session: Session, report: TranscriptBatch) -> TranscriptState:
    """Append events to the session's transcript: each once, in order, however often the batch is sent.

    A batch that isn't accepted has changed nothing: its events are to be sent again, as the next batch. This is no
    activity: it keeps no session alive.
    """
    settings = load(AgentApiSettings)
    transcripts = Transcripts(settings.sessions_table, settings.artifacts_bucket)
    appended = transcripts.append(session.session_id, Stream.AGENT, report.batch, report.events)
    position = appended.position
    if not appended.is_accepted:
        logger.info("transcript batch refused", extra={"batch": report.batch, "batches": position.batches})
    return TranscriptState(accepted=appended.is_accepted, next_batch=position.batches + 1, full=position.is_full)


@routes.report("/agent/picture", TypeAdapter(PictureReport), Picture, body_limit=BODY_LIMIT)
def picture(session: Session, report: PictureReport) -> Picture:
    """Keep a picture of the preview, for those who may see the session. Sent again, it's the same one.

    An event of the transcript says by its name which page it shows, and when.
    """
    settings = load(AgentApiSettings)
    transcripts = Transcripts(settings.sessions_table, settings.artifacts_bucket)
    name = transcripts.keep_picture(session.session_id, report.content)
    if name is None:
        logger.info("picture not kept", extra={"reason": "the session has as many as may be kept"})
    return Picture(sha256=name)
