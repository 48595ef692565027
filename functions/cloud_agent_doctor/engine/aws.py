"""The account as AWS describes it: read-only, each question asked once per audit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cloud_agent_doctor.engine.check import CannotLookError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Document = dict[str, Any]

_REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden"}
# Where the name of the API is not the prefix of its IAM actions.
_IAM_PREFIXES = {"elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag", "stepfunctions": "states"}


class Aws:
    """Asks AWS and remembers the answers, so that an audit judges one picture of the account."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        """`client` makes a boto3 client of a service by its name in boto3."""
        self._make_client = client
        self._clients: dict[str, Any] = {}
        self._answers: dict[tuple[str, str, str], Document | None] = {}

    def ask(self, service: str, operation: str, *, missing: Sequence[str] = (), **request: object) -> Document | None:
        """Return the answer to one operation, such as `ask("elbv2", "describe_rules", ListenerArn=...)`.

        None when AWS answers with one of the error codes `missing`: what was asked about does not exist.

        Raises:
            CannotLookError: AWS refused or did not answer; names the permission, if it is for want of one.
        """
        question = (service, operation, json.dumps(request, sort_keys=True, default=str))
        if question not in self._answers:
            self._answers[question] = self._call(service, operation, missing, request)
        return self._answers[question]

    def ask_all(
        self, service: str, operation: str, member: str, *, missing: Sequence[str] = (), **request: object
    ) -> list[Any]:
        """Return the list `member` of a paged operation, from all its pages; empty where there is no such thing.

        Raises:
            CannotLookError: as of `ask`.
        """
        question = (service, f"{operation}/{member}", json.dumps(request, sort_keys=True, default=str))
        if question not in self._answers:
            self._answers[question] = {member: self._pages(service, operation, member, missing, request)}
        return list((self._answers[question] or {})[member])

    def tell(self, service: str, operation: str, **request: object) -> Document:
        """Like `ask`, of what changes from one moment to the next: never remembered.

        Raises:
            CannotLookError: as of `ask`.
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
            raise _cannot_look(service, client, operation, error) from error

    def _call(self, service: str, operation: str, missing: Sequence[str], request: Document) -> Document | None:
        client = self._client(service)
        try:
            answer: Document = getattr(client, operation)(**request)
        except (ClientError, BotoCoreError) as error:
            if _code(error) in missing:
                return None
            raise _cannot_look(service, client, operation, error) from error
        return answer

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        if service not in self._clients:
            try:
                self._clients[service] = self._make_client(service)
            except BotoCoreError as error:  # such as no region
                raise CannotLookError(f"{service} cannot be asked: {error}") from error
        return self._clients[service]


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _cannot_look(service: str, client: Any, operation: str, error: Exception) -> CannotLookError:  # noqa: ANN401
    action = f"{_IAM_PREFIXES.get(service, service)}:{client.meta.method_to_api_mapping[operation]}"
    if _code(error) in _REFUSED:
        return CannotLookError(f"not allowed: {action}", action, _code(error))
    return CannotLookError(f"{action} failed: {error}", code=_code(error))
