"""The Agent API, /agent/*: the one door between a session's container and the system. A token opens one session."""

import json
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, TypeAdapter, ValidationError

from cloud_agent.adapters.installation_tokens import GIT_PERMISSIONS, InstallationTokens
from cloud_agent.adapters.secrets import read_github_credentials
from cloud_agent.adapters.sessions_table import SessionsTable
from cloud_agent.adapters.workflow import Workflow
from cloud_agent.domain.agent_reports import Done, Heartbeat, Progress, PromptId, Ready
from cloud_agent.domain.errors import SessionNotFoundError, SessionOverError, UnreadableEventError
from cloud_agent.domain.messages import sentence
from cloud_agent.domain.session import Session, SessionStatus
from cloud_agent.domain.session_token import opens, session_id_of
from cloud_agent.observability import identify_session, logger, metrics, tracer
from cloud_agent.settings import GitHubSettings, load

app = APIGatewayHttpResolver()
M = TypeVar("M", bound=BaseModel)
_PROGRESS: TypeAdapter[Progress] = TypeAdapter(Progress)
_PROMPT_ID: TypeAdapter[str] = TypeAdapter(PromptId)


class TokenRefusedError(Exception):
    """The bearer token opens no session. Says no more: a guesser learns nothing."""


@tracer.capture_lambda_handler(capture_response=False)  # /agent/git-token answers with a secret
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Guarantees that a container reaches its own live session and no other."""
    metrics.add_metric("AgentRequests", MetricUnit.Count, 1)
    return app.resolve(event, context)


@app.post("/agent/ready")
def ready() -> Response[str]:
    """The dev server answers: the execution goes on. Said twice, it is heard once."""
    _open_session()
    report = _body(Ready)
    Workflow().succeed(report.task_token, {"port": report.port})
    return _answer(HTTPStatus.OK, {})


@app.post("/agent/heartbeat")
def heartbeat() -> Response[str]:
    """Keeps whichever wait the execution is in from timing out."""
    session, report = _open_session(), _body(Heartbeat)
    if session.status is SessionStatus.STARTING and session.start_token is None:
        SessionsTable(load(GitHubSettings).sessions_table).record_start_token(session.session_id, report.task_token)
    Workflow().heartbeat(session.lifecycle_token or report.task_token)
    return _answer(HTTPStatus.OK, {"status": session.status})


@app.get("/agent/prompts")
def prompts() -> Response[str]:
    """The issue and what people said since, oldest first, after the id that the agent names.

    None before the session's address is registered: Claude's work is meant to be watched from its beginning.
    """
    session = _open_session()
    if session.status is not SessionStatus.RUNNING:
        return _answer(HTTPStatus.OK, {"prompts": []})
    after = _after(app.current_event.query_string_parameters.get("after", ""))
    found = SessionsTable(load(GitHubSettings).sessions_table).prompts_after(session.session_id, after)
    return _answer(HTTPStatus.OK, {"prompts": found})


@app.post("/agent/progress")
def progress() -> Response[str]:
    """What Claude is doing, onto the row."""
    session = _open_session()
    report = _parse(_PROGRESS)
    if not SessionsTable(load(GitHubSettings).sessions_table).record_activity(session.session_id, report.attributes()):
        raise SessionOverError(f"Session {session.session_id} has ended.")
    return _answer(HTTPStatus.OK, {})


@app.post("/agent/git-token")
def git_token() -> Response[str]:
    """A token that can clone and push this session's repository alone, for at most an hour."""
    settings, session = load(GitHubSettings), _open_session()
    tokens = InstallationTokens(settings.github_api_url, read_github_credentials(settings.github_secret_arn))
    token = tokens.token(session.repo, session.installation_id, GIT_PERMISSIONS)
    return _answer(
        HTTPStatus.OK,
        {"username": "x-access-token", "token": token.value, "expires_at": token.expires_at},
    )


@app.post("/agent/done")
def done() -> Response[str]:
    """The agent ends by itself: the wait that the execution is in ends with it."""
    session, report, workflow = _open_session(), _body(Done), Workflow()
    token = session.lifecycle_token or report.task_token
    if report.outcome == "completed" and session.lifecycle_token:
        workflow.succeed(token, {"status": SessionStatus.COMPLETED, "reason": report.message})
    else:
        workflow.fail(token, report.error or "AgentError", report.message)
    logger.info("agent done", extra={"outcome": report.outcome, "error": report.error})
    return _answer(HTTPStatus.OK, {})


@app.exception_handler(TokenRefusedError)
def refuse_token(_: TokenRefusedError) -> Response[str]:
    """401 to every token that opens nothing, whatever is wrong with it."""
    logger.warning("agent token refused")
    return _answer(HTTPStatus.UNAUTHORIZED, {"message": "The bearer token opens no session."})


@app.exception_handler(SessionOverError)
def refuse_ended(error: SessionOverError) -> Response[str]:
    """409: the container is to stop."""
    return _answer(HTTPStatus.CONFLICT, {"message": str(error)})


@app.exception_handler(UnreadableEventError)
def refuse_body(error: UnreadableEventError) -> Response[str]:
    """400 with the member that is wrong."""
    return _answer(HTTPStatus.BAD_REQUEST, {"message": str(error)})


def _open_session() -> Session:
    authorization = app.current_event.headers.get("authorization", "")
    session_id = session_id_of(authorization)
    if session_id is None:
        raise TokenRefusedError
    try:
        session = SessionsTable(load(GitHubSettings).sessions_table).get(session_id)
    except SessionNotFoundError as error:
        raise TokenRefusedError from error
    if not opens(authorization, session):
        raise TokenRefusedError
    identify_session(session_id, session.execution_arn)
    if not session.status.is_live:
        raise SessionOverError(sentence(f"Session {session_id} has ended: {session.end_reason or session.status}"))
    if session.ending is not None:
        raise SessionOverError(sentence(f"Session {session_id} is ending: {session.ending.reason}"))
    return session


def _body(model: type[M]) -> M:
    return _parse(TypeAdapter(model))


def _after(prompt_id: str) -> str:
    try:
        return _PROMPT_ID.validate_python(prompt_id) if prompt_id else ""
    except ValidationError as error:
        raise UnreadableEventError("The parameter `after` is no prompt's id.") from error


T = TypeVar("T")


def _parse(adapter: TypeAdapter[T]) -> T:
    try:
        return adapter.validate_json(app.current_event.decoded_body or "{}")
    except ValidationError as error:
        reasons = "; ".join(": ".join(map(str, [*e["loc"], e["msg"]])) for e in error.errors()[:5])
        raise UnreadableEventError(f"The request body is not as expected: {reasons}") from error


def _answer(status: HTTPStatus, body: dict[str, Any]) -> Response[str]:
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=json.dumps(body))
