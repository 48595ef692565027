"""The sessions table as the doctor reads it: through its own adapter, and never cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer
from pydantic import ValidationError

from cloud_agent.adapters.table.keys import SLOTS_KEY, session_key
from cloud_agent.domain.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloud_agent_doctor.engine.context import CheckContext

ACTIONS = ("dynamodb:GetItem",)


def session_row(context: CheckContext, session_id: str) -> dict[str, Any] | None:
    """Return a session's row in Python's own types; None if there's none.

    Raises:
        DataUnavailableError: DynamoDB refused or didn't respond.
    """
    return _row(context, session_key(session_id))


def valid_sessions(context: CheckContext, session_ids: Iterable[str]) -> Iterator[Session]:
    """Yield the sessions whose rows are valid; the others are left to the check `session`.

    Raises:
        DataUnavailableError: DynamoDB refused or didn't respond.
    """
    for session_id in session_ids:
        try:
            yield Session.model_validate(session_row(context, session_id) or {})
        except ValidationError:
            continue


def live_session_ids(context: CheckContext) -> list[str]:
    """Return the sessions that hold a slot.

    Raises:
        DataUnavailableError: DynamoDB refused or didn't respond.
    """
    return sorted(_live(context))


def live_sessions_by_repository(context: CheckContext) -> dict[str, str]:
    """Return one session that holds a slot for each repository that has any.

    Raises:
        DataUnavailableError: DynamoDB refused or didn't respond.
    """
    return {repo: session_id for session_id, repo in sorted(_live(context).items())}


def _live(context: CheckContext) -> dict[str, str]:
    row = _row(context, SLOTS_KEY) or {}
    return dict(row.get("live", {}))


def _row(context: CheckContext, key: Mapping[str, str]) -> dict[str, Any] | None:
    response = context.aws.describe_uncached(
        "dynamodb",
        "get_item",
        TableName=context.stack.physical_id("SessionsTable"),
        Key={name: {"S": value} for name, value in key.items()},
        ConsistentRead=True,
    )
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in response["Item"].items()} if "Item" in response else None
