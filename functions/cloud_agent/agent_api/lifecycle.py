"""The container's own life: it is ready, it is alive, it ends."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import TypeAdapter

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.agent_api.requests import answer, open_session, read
from cloud_agent.domain.session.agent_reports import DevServer, Done, Heartbeat, Ready
from cloud_agent.domain.session.session import SessionStatus
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]  # Powertools does not annotate it


@router.post("/agent/ready")
def ready() -> Response[str]:
    """Let the execution go on, under the limits that hold. Said twice, it counts once."""
    session, report = open_session(router.current_event), read(router.current_event, TypeAdapter(Ready))
    if session.status is SessionStatus.STARTING:
        settings = load(AgentApiSettings)
        limits = settings.session_limits.lowered_by(report.limits)
        SessionsTable(settings.sessions_table).record_config(
            session.session_id,
            limits,
            ready_for_review=report.limits.ready_for_review,
            host_header=report.host_header,
        )
    Workflow().succeed(report.task_token, {"port": report.port})
    return answer(HTTPStatus.OK, {})


@router.post("/agent/heartbeat")
def heartbeat() -> Response[str]:
    """Keep whichever wait the execution is in from timing out."""
    session, report = open_session(router.current_event), read(router.current_event, TypeAdapter(Heartbeat))
    if session.status is SessionStatus.STARTING and session.start_token is None:
        table = SessionsTable(load(AgentApiSettings).sessions_table)
        table.record_start_token(session.session_id, report.task_token)
    Workflow().heartbeat(session.lifecycle_token or report.task_token)
    return answer(HTTPStatus.OK, {"status": session.status})


@router.post("/agent/dev-server")
def dev_server() -> Response[str]:
    """How the dev server is, onto the row: the proxy shows it to visitors. No activity: it keeps no session alive."""
    session, report = open_session(router.current_event), read(router.current_event, TypeAdapter(DevServer))
    SessionsTable(load(AgentApiSettings).sessions_table).record_dev_server(session.session_id, report)
    return answer(HTTPStatus.OK, {})


@router.post("/agent/done")
def done() -> Response[str]:
    """End the session by the agent's own word: the wait that the execution is in ends with it."""
    session, report = open_session(router.current_event), read(router.current_event, TypeAdapter(Done))
    workflow, token = Workflow(), session.lifecycle_token or report.task_token
    if report.outcome == "completed" and session.lifecycle_token:
        workflow.succeed(token, {"status": SessionStatus.COMPLETED, "reason": report.message})
    else:
        workflow.fail(token, report.error or "AgentError", report.message)
    logger.info("agent done", extra={"outcome": report.outcome, "error": report.error})
    return answer(HTTPStatus.OK, {})
