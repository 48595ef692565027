"""One of GitHub's deliveries, taken from the HTTP request that brought it and verified before it is read."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from cloud_agent.domain.errors import UnreadableEventError
from cloud_agent.webhook.signature import verify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2


@dataclass(frozen=True)
class Delivery:
    """An event as GitHub names it, and its payload. A redelivery has the same id."""

    id: str
    event_name: str
    payload: dict[str, Any]


def read_delivery(request: APIGatewayProxyEventV2, secrets: Iterable[str]) -> Delivery:
    """Return the delivery. Guarantees that the bytes of its payload were signed with one of the secrets.

    Raises:
        InvalidSignatureError: they were not.
        UnreadableEventError: a header is missing, or the body is not a JSON object.
    """
    body = _raw_body(request.body or "", is_base64=bool(request.is_base64_encoded))
    verify(secrets, body, request.headers.get("x-hub-signature-256"))
    event_name, delivery_id = request.headers.get("x-github-event"), request.headers.get("x-github-delivery")
    if not event_name or not delivery_id:
        raise UnreadableEventError("The X-GitHub-Event or X-GitHub-Delivery header is missing: is this GitHub?")
    return Delivery(delivery_id, event_name, _json_object(body))


def _raw_body(body: str, *, is_base64: bool) -> bytes:
    """Return the bytes that GitHub signed: API Gateway hands binary bodies over in base64."""
    return base64.b64decode(body) if is_base64 else body.encode()


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        payload = from_json(body, allow_inf_nan=False)  # refuses what json.loads takes: NaN, and half a surrogate pair
    except ValueError as error:
        raise UnreadableEventError(
            "The body is not JSON: set the webhook's content type to application/json."
        ) from error
    if not isinstance(payload, dict):
        raise UnreadableEventError("The body is JSON, but not an object.")
    return payload
