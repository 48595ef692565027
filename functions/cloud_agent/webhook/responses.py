"""What GitHub is answered, which whoever looks at the App's deliveries reads."""

from __future__ import annotations

import json
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response, content_types

from cloud_agent.domain.conversation.messages import sentence
from cloud_agent.domain.errors import (
    AppNotInstalledError,
    CloudAgentError,
    ConfigurationError,
    GitHubRateLimitedError,
    GitHubRequestError,
    GitHubUnavailableError,
    InvalidSignatureError,
    RepositoryNotFoundError,
    RepositoryReadOnlyError,
    RequestOvertakenError,
    UnreadableEventError,
)
from cloud_agent.observability import logger

_POSTPONED = (GitHubUnavailableError, GitHubRateLimitedError, RequestOvertakenError)
_REFUSED_BY_GITHUB = (AppNotInstalledError, GitHubRequestError, RepositoryNotFoundError, RepositoryReadOnlyError)
_NOT_CONFIGURED = "This installation of Claude Cloud Agent is not fully configured: its log says what is missing."


_TEXT_LIMIT = 1_000  # characters of a reason, which may quote whatever the delivery holds


def outcome_response(outcome: dict[str, str]) -> Response[str]:
    """202 with the session's id when something was done, 200 with the reason when there was nothing to do."""
    if "ignored" in outcome:
        logger.info("event ignored", extra={"reason": outcome["ignored"][:_TEXT_LIMIT]})
        return _response(HTTPStatus.OK, outcome)
    return _response(HTTPStatus.ACCEPTED, outcome)


def error_response(error: CloudAgentError) -> Response[str]:
    """Return the status by which GitHub, or the reconciler, knows whether to send the delivery again, and why.

    Raises:
        CloudAgentError: any that a delivery cannot come to.
    """
    reason = {"reason": str(error)[:_TEXT_LIMIT]}
    if isinstance(error, InvalidSignatureError):
        logger.warning("signature refused")
        return _response(HTTPStatus.UNAUTHORIZED, {"message": str(error)})
    if isinstance(error, UnreadableEventError):
        logger.warning("event unreadable", extra=reason)
        return _response(HTTPStatus.BAD_REQUEST, {"message": str(error)})
    if isinstance(error, _POSTPONED):  # nothing is remembered of it: the same delivery will do what this could not
        logger.warning("delivery postponed", extra=reason)
        return _response(HTTPStatus.SERVICE_UNAVAILABLE, {"message": f"{sentence(str(error))} Redeliver this later."})
    if isinstance(error, _REFUSED_BY_GITHUB):
        logger.error("refused by github", extra=reason)
        return _response(HTTPStatus.BAD_GATEWAY, {"message": str(error)})
    if isinstance(error, ConfigurationError):  # for the log alone: the signature may not have been checked yet
        logger.error("not configured", extra=reason)
        return _response(HTTPStatus.INTERNAL_SERVER_ERROR, {"message": _NOT_CONFIGURED})
    raise error


def _response(status: HTTPStatus, body: dict[str, str]) -> Response[str]:
    bounded = {name: text[:_TEXT_LIMIT] for name, text in body.items()}
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=json.dumps(bounded))
