"""What every route does with its request: open the session, read the body, respond in JSON."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn, TypeVar

from aws_lambda_powertools.event_handler import Response, content_types
from pydantic import ValidationError

from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation.messages import sentence
from cloud_agent.domain.errors import SessionNotFoundError, SessionOverError, UnreadableEventError
from cloud_agent.domain.session.session_token import opens, session_id_of
from cloud_agent.observability import identify_session
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
    from pydantic import BaseModel, TypeAdapter

    from cloud_agent.domain.session.session import Session

T = TypeVar("T")
# The longest text is of 32,000 characters, and JSON's escapes make 12 bytes of one.
TEXT_BODY_LIMIT = 500_000
# Twice as long as ECS waits for a container that is to stop (StopTimeout).
_LAST_WORDS = timedelta(seconds=60)


class TokenRefusedError(Exception):
    """The bearer token opens no session. Says no more: a guesser learns nothing."""


def open_session(event: APIGatewayProxyEventV2) -> Session:
    """Return the live session that the request's token opens.

    Raises:
        TokenRefusedError: it opens none.
        SessionOverError: the session has ended or was asked to.
    """
    session = open_live_session(event)
    refuse_ending(session)
    return session


def open_live_session(event: APIGatewayProxyEventV2) -> Session:
    """Return the session that the request's token opens, asked to end or not.

    Raises:
        TokenRefusedError: it opens none.
        SessionOverError: the session has ended.
    """
    session = _opened(event)
    return session if session.status.is_live else _refuse_ended(session)


def open_recent_session(event: APIGatewayProxyEventV2) -> Session:
    """Return the session that the request's token opens, live or ended a moment ago: its container may still stop.

    Raises:
        TokenRefusedError: it opens none.
        SessionOverError: the session ended earlier.
    """
    session = _opened(event)
    if session.status.is_live:
        return session
    ended_at = datetime.fromisoformat(session.ended_at or session.created_at)
    return session if datetime.now(UTC) - ended_at < _LAST_WORDS else _refuse_ended(session)


def _opened(event: APIGatewayProxyEventV2) -> Session:
    authorization = event.headers.get("authorization", "")
    session_id = session_id_of(authorization)
    if session_id is None:
        raise TokenRefusedError
    try:
        session = SessionsTable(load(AgentApiSettings).sessions_table).get(session_id)
    except SessionNotFoundError as error:
        raise TokenRefusedError from error
    if not opens(authorization, session):
        raise TokenRefusedError
    identify_session(session_id, session.execution_arn)
    return session


def _refuse_ended(session: Session) -> NoReturn:
    reason = session.end_reason or session.status
    raise SessionOverError(sentence(f"Session {session.session_id} has ended: {reason}"))


def refuse_ending(session: Session) -> None:
    """Have the container stop where the session was asked to end.

    Raises:
        SessionOverError: it was.
    """
    if session.ending is not None:
        raise SessionOverError(sentence(f"Session {session.session_id} is ending: {session.ending.reason}"))


def read(event: APIGatewayProxyEventV2, adapter: TypeAdapter[T], limit: int) -> T:
    """Return the request's body of at most `limit` characters, each member of the very type that the contract gives it.

    Raises:
        UnreadableEventError: names the members that are not as expected.
    """
    body = event.body or "{}"
    if len(body) > limit:  # before it's parsed, which takes many times its length
        raise UnreadableEventError(f"The request body is longer than {limit} characters.")
    try:
        return adapter.validate_json(base64.b64decode(body) if event.is_base64_encoded else body, strict=True)
    except ValidationError as error:
        reasons = "; ".join(": ".join(map(str, [*e["loc"], e["msg"]])) for e in error.errors()[:5])
        raise UnreadableEventError(f"The request body is not as expected: {reasons}") from error


def respond(status: HTTPStatus, body: BaseModel, *, version: str | None = None) -> Response[str]:
    """Return a response in JSON. Not in ASCII: escapes would make a long text six times as long."""
    headers: dict[str, str | list[str]] = {"ETag": entity_tag(version)} if version is not None else {}
    return Response(
        status_code=status, content_type=content_types.APPLICATION_JSON, body=body.model_dump_json(), headers=headers
    )


def not_modified(version: str) -> Response[str]:
    """Return 304: what this client has is what it would get. A body of null is none that API Gateway documents."""
    return Response(status_code=HTTPStatus.NOT_MODIFIED, body="", headers={"ETag": entity_tag(version)})


def entity_tag(version: str) -> str:
    """Return the version as HTTP writes it, in ETag and If-None-Match."""
    return f'"{version}"'
