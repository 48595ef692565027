"""Commits that couldn't be pushed, for the branch's next session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from cloud_agent.adapters.aws.signed_objects import SignedObjects
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.agent_api.requests import open_recent_session
from cloud_agent.agent_api.responses import Accepted, UnpublishedWork, Upload
from cloud_agent.agent_api.routes import Routes
from cloud_agent.domain.session import unpublished_work
from cloud_agent.domain.session.agent_reports import UnpublishedBundle, UnpublishedReport
from cloud_agent.domain.session.unpublished_work import WorkState, kept_until, object_key
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

routes = Routes()


@routes.request("POST", "/agent/restore-unpublished", UnpublishedWork)
def restore_unpublished(session: Session) -> UnpublishedWork:
    """Return where the commits can be had that an earlier session of this branch couldn't push, for a few minutes."""
    settings = load(AgentApiSettings)
    objects, key = SignedObjects(settings.artifacts_bucket), object_key(session)
    if not settings.unpublished_work_days or not objects.exists(key):
        return UnpublishedWork(url=None)
    logger.info("unpublished work handed out")
    return UnpublishedWork(url=objects.download_url(key))


@routes.report("/agent/save-unpublished", TypeAdapter(UnpublishedBundle), Upload, opened=open_recent_session)
def save_unpublished(session: Session, bundle: UnpublishedBundle) -> Upload:
    """Return where the commits that aren't on GitHub can be put, for a few minutes: these bytes and no others.

    They replace what the branch has there. A session that has just ended may still leave what it was working on.
    """
    settings = load(AgentApiSettings)
    if not settings.unpublished_work_days:
        return Upload(url=None, headers={})
    url, headers = SignedObjects(settings.artifacts_bucket).upload(
        object_key(session), bundle.size_bytes, bundle.sha256
    )
    logger.info("unpublished work to be kept", extra={"bytes": bundle.size_bytes})
    return Upload(url=url, headers=headers)


@routes.report("/agent/report-unpublished", TypeAdapter(UnpublishedReport), Accepted, opened=open_recent_session)
def report_unpublished(session: Session, report: UnpublishedReport) -> Accepted:
    """Write onto the row what has become of commits that aren't on GitHub. Once they are, what was kept is deleted."""
    settings = load(AgentApiSettings)
    if report.state is WorkState.PUBLISHED:
        SignedObjects(settings.artifacts_bucket).remove(object_key(session))
    is_kept = report.state is WorkState.KEPT
    work = unpublished_work.UnpublishedWork(
        state=report.state,
        taken_up=report.taken_up,
        kept_until=kept_until(settings.unpublished_work_days) if is_kept else None,
    )
    SessionsTable(settings.sessions_table).record(
        session.session_id, unpublished=report.commits, unpublished_work=work.model_dump(mode="json")
    )
    logger.info("unpublished work", extra={"commits": report.commits, "state": report.state})
    return Accepted()
