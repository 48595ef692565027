"""POST /webhook: GitHub's deliveries. Verified first, then decided, then acted on once."""

import base64
import json
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from aws_lambda_powertools.utilities.typing import LambdaContext

from cloud_agent.adapters.secrets import read_secret
from cloud_agent.adapters.sessions_table import SessionsTable
from cloud_agent.adapters.workflow import Workflow
from cloud_agent.domain.errors import InvalidSignatureError, UnreadableEventError
from cloud_agent.domain.intake import End, Ignore, Start, decide
from cloud_agent.domain.session import execution_name
from cloud_agent.domain.signature import verify
from cloud_agent.observability import identify_session, logger, metrics, tracer
from cloud_agent.settings import WebhookSettings, load

# GitHub lets a delivery be redelivered for three days; the same delivery never starts a second session.
REMEMBERED_SECONDS = 3 * 24 * 3600

app = APIGatewayHttpResolver()


@tracer.capture_lambda_handler
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Guarantees an answer with a reason to every delivery, well within the 10 s that GitHub waits."""
    return app.resolve(event, context)


@app.post("/webhook")
def receive() -> Response[str]:
    """202 with the session's id on a start or an end, 200 with the reason when there is nothing to do."""
    metrics.add_metric("DeliveriesReceived", MetricUnit.Count, 1)
    settings = load(WebhookSettings)
    headers = app.current_event.headers
    body = _raw_body(app.current_event.body or "", is_base64=bool(app.current_event.is_base64_encoded))
    verify(read_secret(settings.webhook_secret_arn), body, headers.get("x-hub-signature-256"))
    event_name, delivery_id = headers.get("x-github-event", ""), headers.get("x-github-delivery", "")
    if not event_name or not delivery_id:
        raise UnreadableEventError("The X-GitHub-Event or X-GitHub-Delivery header is missing: is this GitHub?")
    logger.append_keys(delivery_id=delivery_id, github_event=event_name)
    decision = decide(event_name, delivery_id, _json_object(body), settings.trigger_label)
    if isinstance(decision, Ignore):
        return _ignored(decision.reason)
    if isinstance(decision, End):
        return _end(settings, decision)
    return _start_once(settings, decision, delivery_id)


@app.exception_handler(InvalidSignatureError)
def refuse_signature(error: InvalidSignatureError) -> Response[str]:
    """An unsigned or wrongly signed body was read by nobody."""
    logger.warning("signature refused")
    return _answer(HTTPStatus.UNAUTHORIZED, {"message": str(error)})


@app.exception_handler(UnreadableEventError)
def refuse_body(error: UnreadableEventError) -> Response[str]:
    """A signed body that is not what its event promises."""
    logger.warning("event unreadable", extra={"reason": str(error)})
    return _answer(HTTPStatus.BAD_REQUEST, {"message": str(error)})


def _start_once(settings: WebhookSettings, decision: Start, delivery_id: str) -> Response[str]:
    config = IdempotencyConfig(expires_after_seconds=REMEMBERED_SECONDS)
    # Bounds a try that never ends: a redelivery after this invocation's time is a new try, not "being handled".
    config.register_lambda_context(app.lambda_context)
    start = idempotent_function(
        _start,
        data_keyword_argument="delivery_id",
        persistence_store=_persistence(settings.idempotency_table),
        config=config,
    )
    try:
        outcome = start(settings=settings, decision=decision, delivery_id=delivery_id)
    except IdempotencyAlreadyInProgressError:
        return _ignored("this delivery is being handled already")
    if reason := outcome.get("ignored"):
        return _ignored(reason)
    return _answer(HTTPStatus.ACCEPTED, {"session_id": outcome["session_id"]})


def _start(*, settings: WebhookSettings, decision: Start, delivery_id: str) -> dict[str, str]:  # noqa: ARG001 - the idempotency key
    request = decision.request
    identify_session(request.session_id)
    table = SessionsTable(settings.sessions_table)
    live = table.live_session_id(request.repo, request.issue_number)
    if live is not None and live != request.session_id:
        return {"ignored": f"issue #{request.issue_number} already has the live session {live}"}
    table.ensure_slots()
    table.put_initial_prompt(request.session_id, decision.prompt)
    name = execution_name(request.repo, request.issue_number, request.session_id)
    started = Workflow().start(settings.state_machine_arn, name, request.model_dump_json())
    logger.info("session requested", extra={"execution_name": name, "started": started})
    metrics.add_metric("SessionsRequested", MetricUnit.Count, 1)
    return {"session_id": request.session_id}


def _end(settings: WebhookSettings, decision: End) -> Response[str]:
    """Needs no memory of deliveries: the first request to end a session stands, and a later one changes nothing."""
    table = SessionsTable(settings.sessions_table)
    if decision.pull_number is not None:
        session_id = table.session_of_pull(decision.repo, decision.pull_number)
    else:
        session_id = table.live_session_id(decision.repo, decision.issue_number or 0)
    session = table.request_end(session_id, decision.ending) if session_id else None
    if session is None or session.ending is None:
        return _ignored("there is no live session to end")
    identify_session(session.session_id, session.execution_arn)
    told = Workflow().end(session, session.ending)
    logger.info("end requested", extra={"reason": session.ending.reason, "told": told})
    metrics.add_metric("EndsRequested", MetricUnit.Count, 1)
    return _answer(HTTPStatus.ACCEPTED, {"session_id": session.session_id, "ending": session.ending.reason})


@cache
def _persistence(table_name: str) -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(table_name=table_name)


def _raw_body(body: str, *, is_base64: bool) -> bytes:
    """The bytes that GitHub signed: API Gateway hands binary bodies over in base64."""
    return base64.b64decode(body) if is_base64 else body.encode()


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableEventError(
            "The body is not JSON: set the webhook's content type to application/json."
        ) from error
    if not isinstance(payload, dict):
        raise UnreadableEventError("The body is JSON, but not an object.")
    return payload


def _ignored(reason: str) -> Response[str]:
    logger.info("event ignored", extra={"reason": reason})
    return _answer(HTTPStatus.OK, {"ignored": reason})


def _answer(status: HTTPStatus, body: dict[str, str]) -> Response[str]:
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=json.dumps(body))
