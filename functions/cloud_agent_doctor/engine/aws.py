"""The account as AWS describes it: read-only, each request sent once per run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cloud_agent_doctor.engine.errors import DataUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Document = dict[str, Any]

_REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden"}
# Where the name of the API is not the prefix of its IAM actions.
_IAM_PREFIXES = {
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}


class Aws:
    """Describes the account and caches the responses, so that one run judges one picture of it."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        """`client` makes a boto3 client of a service by its name in boto3."""
        self._make_client = client
        self._clients: dict[str, Any] = {}
        self._cache: dict[tuple[str, str, str], Document | None] = {}

    def describe(
        self, service: str, operation: str, *, missing: Sequence[str] = (), **request: object
    ) -> Document | None:
        """Return the response to one operation, such as `describe("elbv2", "describe_rules", ListenerArn=...)`.

        None if AWS responds with one of the error codes `missing`: the thing described doesn't exist.

        Raises:
            DataUnavailableError: AWS refused or didn't respond; names the missing permission, if that's the reason.
        """
        key = (service, operation, json.dumps(request, sort_keys=True, default=str))
        if key not in self._cache:
            self._cache[key] = self._call(service, operation, missing, request)
        return self._cache[key]

    def describe_all(
        self, service: str, operation: str, member: str, *, missing: Sequence[str] = (), **request: object
    ) -> list[Any]:
        """Return the list `member` of a paginated operation, from all its pages; empty if the thing doesn't exist.

        Raises:
            DataUnavailableError: as of `describe`.
        """
        key = (service, f"{operation}/{member}", json.dumps(request, sort_keys=True, default=str))
        if key not in self._cache:
            self._cache[key] = {member: self._pages(service, operation, member, missing, request)}
        return list((self._cache[key] or {})[member])

    def describe_uncached(self, service: str, operation: str, **request: object) -> Document:
        """Like `describe`, for what changes from one moment to the next.

        Raises:
            DataUnavailableError: as of `describe`.
        """
        return self._call(service, operation, (), request) or {}

    def _pages(self, service: str, operation: str, member: str, missing: Sequence[str], request: Document) -> list[Any]:
        client = self._client(service)
        if not client.can_paginate(operation):
            return list((self._call(service, operation, missing, request) or {}).get(member, []))
        try:
            return [one for page in client.get_paginator(operation).paginate(**request) for one in page.get(member, [])]
        except (ClientError, BotoCoreError) as error:
            if _code(error) in missing:
                return []
            raise _unavailable(service, client, operation, error) from error

    def _call(self, service: str, operation: str, missing: Sequence[str], request: Document) -> Document | None:
        client = self._client(service)
        try:
            response: Document = getattr(client, operation)(**request)
        except (ClientError, BotoCoreError) as error:
            if _code(error) in missing:
                return None
            raise _unavailable(service, client, operation, error) from error
        return response

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        if service not in self._clients:
            try:
                self._clients[service] = self._make_client(service)
            except BotoCoreError as error:  # such as no region
                raise DataUnavailableError(f"no client for {service}: {error}") from error
        return self._clients[service]


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _unavailable(service: str, client: Any, operation: str, error: Exception) -> DataUnavailableError:  # noqa: ANN401
    action = f"{_IAM_PREFIXES.get(service, service)}:{client.meta.method_to_api_mapping[operation]}"
    if _code(error) in _REFUSED:
        return DataUnavailableError(f"not allowed: {action}", action, _code(error))
    return DataUnavailableError(f"{action} failed: {error}", code=_code(error))
