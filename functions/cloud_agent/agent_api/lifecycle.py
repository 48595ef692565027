"""The container's own life: it is ready, it is alive, it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.agent_api.responses import Accepted, Alive
from cloud_agent.agent_api.routes import Routes
from cloud_agent.agent_api.work import open_requests
from cloud_agent.domain.session.agent_reports import Done, Heartbeat, PreviewReport, Ready
from cloud_agent.domain.session.session import SessionStatus
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

routes = Routes()


@routes.report("/agent/ready", TypeAdapter(Ready), Accepted)
def ready(session: Session, report: Ready) -> Accepted:
    """Let the execution go on, under the limits that hold. Repeated, it changes nothing."""
    if session.status is SessionStatus.STARTING:
        settings = load(AgentApiSettings)
        limits = settings.session_limits.lowered_by(report.limits)
        SessionsTable(settings.sessions_table).record_config(
            session.session_id,
            limits,
            report.limits,
            host_header=report.host_header,
            has_workspace_user=report.has_workspace_user,
            model=report.model,
            effort=report.effort,
        )
    Workflow().succeed(report.task_token, {"port": report.port})
    return Accepted()


@routes.report("/agent/heartbeat", TypeAdapter(Heartbeat), Alive)
def heartbeat(session: Session, report: Heartbeat) -> Alive:
    """Keep whichever wait the execution is in from timing out; return what `GET /agent/prompts` does.

    So an agent that asks for prompts anyway needs no request of its own to say that it's alive.
    """
    if session.status is SessionStatus.STARTING and session.start_token is None:
        table = SessionsTable(load(AgentApiSettings).sessions_table)
        table.record_start_token(session.session_id, report.task_token)
    Workflow().heartbeat(session.lifecycle_token or report.task_token)
    return Alive(status=session.status, **dict(open_requests(session)))


@routes.report("/agent/preview", TypeAdapter(PreviewReport), Accepted)
def preview(session: Session, report: PreviewReport) -> Accepted:
    """Record how the preview is, for people, and for the proxy. This is no activity: it keeps no session alive."""
    table = SessionsTable(load(AgentApiSettings).sessions_table)
    table.record_preview(
        session.session_id,
        report.preview,
        host_header=report.host_header,
        revision=report.revision,
        port=report.port,
    )
    return Accepted()


@routes.report("/agent/done", TypeAdapter(Done), Accepted)
def done(session: Session, report: Done) -> Accepted:
    """End the session as the agent asks: the wait that the execution is in ends with it."""
    workflow, token = Workflow(), session.lifecycle_token or report.task_token
    if report.outcome == "completed" and session.lifecycle_token:
        workflow.succeed(token, {"status": SessionStatus.COMPLETED, "reason": report.reason})
    else:
        workflow.fail(token, report.own_error, report.message)
    logger.info("agent done", extra={"outcome": report.outcome, "error": report.error})
    return Accepted()
