"""The Agent API, /agent/*: all that a session's container can ask of the system. A token opens one session."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from cloud_agent.adapters.aws.environment_secrets import EnvironmentSecretError
from cloud_agent.agent_api import attachments, credentials, dependencies, lifecycle, transcript, unpublished, work
from cloud_agent.agent_api.requests import TokenRefusedError, respond
from cloud_agent.agent_api.responses import Problem
from cloud_agent.domain.errors import SessionOverError, UnreadableEventError
from cloud_agent.observability import logger, tracer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

PARTS = (
    lifecycle.routes,
    work.routes,
    attachments.routes,
    credentials.routes,
    dependencies.routes,
    transcript.routes,
    unpublished.routes,
)
app = APIGatewayHttpResolver()
for part in PARTS:
    app.include_router(part.router)


@tracer.capture_lambda_handler(capture_response=False)  # /agent/git-token and /agent/environment answer with secrets
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Guarantees that a container reaches its own live session and no other."""
    return app.resolve(event, context)


@app.exception_handler(TokenRefusedError)
def refuse_token(_: TokenRefusedError) -> Response[str]:
    """401 to every token that opens nothing, whatever is wrong with it."""
    logger.warning("agent token refused")
    return respond(HTTPStatus.UNAUTHORIZED, Problem(message="The bearer token opens no session."))


@app.exception_handler(SessionOverError)
def refuse_ended(error: SessionOverError) -> Response[str]:
    """409: the container is to stop."""
    return respond(HTTPStatus.CONFLICT, Problem(message=str(error)))


@app.exception_handler([UnreadableEventError, EnvironmentSecretError])
def refuse_request(error: UnreadableEventError | EnvironmentSecretError) -> Response[str]:
    """400 with the member, or the secrets, that are wrong."""
    return respond(HTTPStatus.BAD_REQUEST, Problem(message=str(error)))
