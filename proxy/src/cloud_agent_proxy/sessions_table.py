"""The sessions table: read by dynamodb:GetItem and dynamodb:BatchGetItem; dynamodb:UpdateItem for one attribute."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from cloud_agent_proxy.session import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import KeysAndAttributesOutputTypeDef

logger = logging.getLogger(__name__)

# A visitor waits for these reads.
_SHORT_TIMEOUTS = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"})
_KEYS_PER_READ = 100  # BatchGetItem's own limit
_READ_ATTRIBUTES = "pk, #status, ip, port, end_reason, pull_url, pull_number, initial_sha, start_token, dev_server"
_ALIASES = {"#status": "status"}  # a reserved word of DynamoDB


class TableUnavailableError(Exception):
    """The sessions table could not be read or written."""


class SessionsTable:
    """Reads sessions and notes visits; its methods block and may be called from any thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._client = boto3.client("dynamodb", config=_SHORT_TIMEOUTS)
        self._deserializer = TypeDeserializer()

    def get(self, session_id: str) -> Session | None:
        """Return the session as last written, None when there is none of that id.

        Raises:
            TableUnavailableError: the table did not answer within two attempts of 2 s each.
        """
        try:
            answer = self._client.get_item(
                TableName=self._name,
                Key=_key(session_id),
                ConsistentRead=True,
                ProjectionExpression=_READ_ATTRIBUTES,
                ExpressionAttributeNames=_ALIASES,
            )
        except (BotoCoreError, ClientError) as error:
            raise TableUnavailableError(f"GetItem on table {self._name}: {error}") from error
        item = answer.get("Item")
        return self._session(item) if item else None

    def get_many(self, session_ids: Sequence[str]) -> dict[str, Session | None]:
        """Return the sessions as last written, None for those that do not exist.

        An id that the table left unanswered (throttling) is missing from the result.

        Raises:
            TableUnavailableError: the table did not answer within two attempts of 2 s each.
        """
        found: dict[str, Session | None] = {}
        for first in range(0, len(session_ids), _KEYS_PER_READ):
            found |= self._get_batch(session_ids[first : first + _KEYS_PER_READ])
        return found

    def note_visit(self, session_id: str, visited_at: datetime) -> None:
        """Write `last_visited_at` on the session's row, if the session is running and no later visit is known.

        Every proxy writes it, each what it has seen itself; the latest stands.

        Raises:
            TableUnavailableError: the table did not take it within two attempts of 2 s each.
        """
        try:
            self._client.update_item(
                TableName=self._name,
                Key=_key(session_id),
                UpdateExpression="SET last_visited_at = :visited_at",
                ConditionExpression="#status = :running"
                " AND (attribute_not_exists(last_visited_at) OR last_visited_at < :visited_at)",
                ExpressionAttributeNames=_ALIASES,
                ExpressionAttributeValues={
                    ":visited_at": {"S": _timestamp(visited_at)},
                    ":running": {"S": SessionStatus.RUNNING},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            logger.debug("visit out of date", extra={"session_id": session_id})
        except (BotoCoreError, ClientError) as error:
            raise TableUnavailableError(f"UpdateItem on table {self._name}: {error}") from error

    def _get_batch(self, session_ids: Sequence[str]) -> dict[str, Session | None]:
        try:
            answer = self._client.batch_get_item(
                RequestItems={
                    self._name: {
                        "Keys": [_key(session_id) for session_id in session_ids],
                        "ConsistentRead": True,
                        "ProjectionExpression": _READ_ATTRIBUTES,
                        "ExpressionAttributeNames": _ALIASES,
                    }
                }
            )
        except (BotoCoreError, ClientError) as error:
            raise TableUnavailableError(f"BatchGetItem on table {self._name}: {error}") from error
        unanswered = _ids_in(answer["UnprocessedKeys"].get(self._name))
        found: dict[str, Session | None] = {id_: None for id_ in session_ids if id_ not in unanswered}
        for item in answer["Responses"].get(self._name, []):
            found[_id_in(item)] = self._session(item)
        return found

    def _session(self, item: Mapping[str, Any]) -> Session | None:
        session_id = _id_in(item)
        fields = {name: self._deserializer.deserialize(value) for name, value in item.items()}
        try:
            return Session.model_validate({**fields, "id": session_id})
        except ValidationError as error:
            logger.error(  # noqa: TRY400 - a traceback into the validator tells nothing more
                "session row not understood",
                extra={"session_id": session_id, "reason": error.errors(include_url=False)},
            )
            return None


def _key(session_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"SESSION#{session_id}"}, "sk": {"S": "SESSION"}}


def _timestamp(moment: datetime) -> str:
    """Return it in UTC to the millisecond, as every attribute of the table that is a time; such texts sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _id_in(item: Mapping[str, Any]) -> str:
    return str(item["pk"]["S"]).removeprefix("SESSION#")


def _ids_in(keys: KeysAndAttributesOutputTypeDef | None) -> set[str]:
    return {_id_in(key) for key in keys["Keys"]} if keys else set()
