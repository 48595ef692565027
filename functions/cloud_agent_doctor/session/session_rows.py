"""The sessions table, as an audit reads it: in the doctor's own way to AWS, and never remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from cloud_agent.adapters.table.keys import SLOTS_KEY, session_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent_doctor.engine.examination import Examination

ACTIONS = ("dynamodb:GetItem",)


def session_row(examination: Examination, session_id: str) -> dict[str, Any] | None:
    """Return a session's row in Python's own types; None when there is none.

    Raises:
        CannotLookError: DynamoDB refused or did not answer.
    """
    return _row(examination, session_key(session_id))


def live_session_ids(examination: Examination) -> list[str]:
    """Return the sessions that hold a slot.

    Raises:
        CannotLookError: DynamoDB refused or did not answer.
    """
    row = _row(examination, SLOTS_KEY) or {}
    return sorted(row.get("live", {}))


def _row(examination: Examination, key: Mapping[str, str]) -> dict[str, Any] | None:
    answer = examination.aws.tell(
        "dynamodb",
        "get_item",
        TableName=examination.stack.physical_id("SessionsTable"),
        Key={name: {"S": value} for name, value in key.items()},
        ConsistentRead=True,
    )
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in answer["Item"].items()} if "Item" in answer else None
