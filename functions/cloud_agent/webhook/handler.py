"""POST /webhook: GitHub's deliveries. Verified first, then decided, then handed over to be acted on once."""

from __future__ import annotations

import base64
import json
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

from cloud_agent.adapters.aws.secrets import read_secret
from cloud_agent.domain.conversation.messages import sentence
from cloud_agent.domain.errors import (
    AppNotInstalledError,
    ConfigurationError,
    GitHubRateLimitedError,
    GitHubRequestError,
    GitHubUnavailableError,
    InvalidSignatureError,
    RepositoryNotFoundError,
    UnreadableEventError,
)
from cloud_agent.observability import logger, metrics, tracer
from cloud_agent.settings import WebhookSettings, load
from cloud_agent.webhook.comment import steer
from cloud_agent.webhook.decide import decide
from cloud_agent.webhook.decisions import End, Ignore, Start, Steer
from cloud_agent.webhook.end import end
from cloud_agent.webhook.signature import verify
from cloud_agent.webhook.start import start

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from cloud_agent.webhook.outcome import Outcome

# GitHub lets a delivery be redelivered for three days; what was acted on is not acted on again.
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
    """202 with the session's id when something was done, 200 with the reason when there was nothing to do."""
    metrics.add_metric("DeliveriesReceived", MetricUnit.Count, 1)
    settings = load(WebhookSettings)
    headers = app.current_event.headers
    body = _raw_body(app.current_event.body or "", is_base64=bool(app.current_event.is_base64_encoded))
    verify(read_secret(settings.webhook_secret_arn), body, headers.get("x-hub-signature-256"))
    event_name, delivery_id = headers.get("x-github-event", ""), headers.get("x-github-delivery", "")
    if not event_name or not delivery_id:
        raise UnreadableEventError("The X-GitHub-Event or X-GitHub-Delivery header is missing: is this GitHub?")
    logger.append_keys(delivery_id=delivery_id, github_event=event_name)
    decision = decide(event_name, delivery_id, _json_object(body), settings.trigger_labels)
    match decision:
        case Ignore():
            return _answer_outcome({"ignored": decision.reason})
        case End():
            return _answer_outcome(end(settings, decision))
        case Start():
            return _answer_outcome(_once(start, settings, decision, delivery_id))
        case Steer():
            return _answer_outcome(_once(steer, settings, decision, decision.identity))


@app.exception_handler(InvalidSignatureError)
def refuse_signature(error: InvalidSignatureError) -> Response[str]:
    """Answer 401: an unsigned or wrongly signed body is read by nobody."""
    logger.warning("signature refused")
    return _answer(HTTPStatus.UNAUTHORIZED, {"message": str(error)})


@app.exception_handler(UnreadableEventError)
def refuse_body(error: UnreadableEventError) -> Response[str]:
    """Answer 400 to a signed body that is not what its event promises."""
    logger.warning("event unreadable", extra={"reason": str(error)})
    return _answer(HTTPStatus.BAD_REQUEST, {"message": str(error)})


@app.exception_handler([GitHubUnavailableError, GitHubRateLimitedError])
def ask_for_redelivery(error: Exception) -> Response[str]:
    """503: nothing is remembered of this delivery, and the same one will do what this could not."""
    logger.warning("delivery postponed", extra={"reason": str(error)})
    return _answer(HTTPStatus.SERVICE_UNAVAILABLE, {"message": f"{sentence(str(error))} Redeliver this later."})


@app.exception_handler([AppNotInstalledError, GitHubRequestError, RepositoryNotFoundError])
def tell_refusal(error: Exception) -> Response[str]:
    """502: GitHub refused what this needs, and says why to whoever looks at the App's deliveries."""
    logger.error("refused by github", extra={"reason": str(error)})
    return _answer(HTTPStatus.BAD_GATEWAY, {"message": str(error)})


@app.exception_handler(ConfigurationError)
def tell_misconfiguration(error: ConfigurationError) -> Response[str]:
    """500: what is missing is said to the log alone, for the signature may not have been checked yet."""
    logger.error("not configured", extra={"reason": str(error)})
    message = "This installation of Claude Cloud Agent is not fully configured: its log says what is missing."
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"message": message})


def _once(act: Callable[..., Outcome], settings: WebhookSettings, decision: Start | Steer, identity: str) -> Outcome:
    """Act on this delivery or comment unless that was done; one that failed is forgotten, so that it can come again."""
    config = IdempotencyConfig(expires_after_seconds=REMEMBERED_SECONDS)
    # Bounds a try that never ends: a redelivery after this invocation's time is a new try, not "being handled".
    config.register_lambda_context(app.lambda_context)
    remembered = idempotent_function(
        act,
        data_keyword_argument="identity",
        persistence_store=_persistence(settings.idempotency_table),
        config=config,
    )
    try:
        outcome: Outcome = remembered(settings=settings, decision=decision, identity=identity)
    except IdempotencyAlreadyInProgressError:
        return {"ignored": "this delivery is being handled already"}
    return outcome


@cache
def _persistence(table_name: str) -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(table_name=table_name)


def _raw_body(body: str, *, is_base64: bool) -> bytes:
    """Return the bytes that GitHub signed: API Gateway hands binary bodies over in base64."""
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


def _answer_outcome(outcome: Outcome) -> Response[str]:
    if "ignored" in outcome:
        logger.info("event ignored", extra={"reason": outcome["ignored"]})
        return _answer(HTTPStatus.OK, outcome)
    return _answer(HTTPStatus.ACCEPTED, outcome)


def _answer(status: HTTPStatus, body: dict[str, str]) -> Response[str]:
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=json.dumps(body))
