"""`cloud-agent restore`: rows that the sessions table has lost are copied back from a table that DynamoDB restored.

What is there stays as it is. What is missing may have been deleted for good reason, so an issue's lock comes back only
with a session that is live. Run twice, or again after an interruption, it comes to the same.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from cloud_agent.adapters.table.contention import uncontended
from cloud_agent.adapters.table.keys import LOCK, SESSION, SLOTS_KEY, session_key
from cloud_agent.domain.session.canary import CANARY_ID
from cloud_agent.domain.session.session import LIVE, SessionStatus
from cloud_agent_cli.errors import RestorationError
from cloud_agent_cli.terminal import console, part

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_cli.targets import Target

    Item = dict[str, Any]  # as DynamoDB has it on the wire

_AT_ONCE = 8  # writes; boto3 keeps ten connections
_MISSING = "attribute_not_exists(pk)"
# Of a write, or of a transaction and each of its parts, whose condition doesn't hold.
_UNMET = {"ConditionalCheckFailedException", "TransactionCanceledException", "ConditionalCheckFailed", "None"}


@dataclass(frozen=True)
class Restored:
    """How many rows the restored table has, and how many of them the stack's table had lost and has again."""

    read: int
    rows: int


def run(target: Target, source: str) -> None:
    """Restore the rows of the stack's table, and say how many.

    Raises:
        RestorationError: there is no such stack or table, or AWS refused.
    """
    try:
        stack = target.client("cloudformation").describe_stacks(StackName=target.stack)["Stacks"][0]
        (table,) = (one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "SessionsTable")
        if source == table:
            raise RestorationError(f"{table} is the stack's own table. Name the one that DynamoDB restored.")
        with part(f"rows of {source}"):
            restored = restore(target.client, source, table)
    except ClientError as error:
        raise RestorationError(f"{error.operation_name}: {error.response['Error']['Message']}") from error
    except BotoCoreError as error:
        raise RestorationError(str(error)) from error
    console.print(
        f"{restored.rows} of {restored.read} rows were missing in {escape(table)} and have been restored.\n"
        "The reconciler ends the sessions whose container is gone."
    )


def restore(client: Callable[[str], Any], source: str, table: str) -> Restored:
    """Copy what `table` has lost from `source`, and guarantee that each live session is in the row of slots again.

    Only what is in that row is looked after: a session that is not would keep its issue's lock for days.
    """
    dynamodb = client("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(TableName=source, ConsistentRead=True)
    rows: list[Item] = [row for page in pages for row in page["Items"]]

    def copy(row: Item) -> bool:
        put = {"TableName": table, "Item": row, "ConditionExpression": _MISSING}
        if _is_lock(row):
            return _done(lambda: dynamodb.transact_write_items(TransactItems=[_while_live(table, row), {"Put": put}]))
        return _done(lambda: dynamodb.put_item(**put))

    def enroll(row: Item) -> bool:
        update = {"Update": {"TableName": table, **_enrollment(row)}}
        return _done(lambda: dynamodb.transact_write_items(TransactItems=[_while_live(table, row), update]))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        copied = sum(pool.map(copy, (row for row in rows if not _is_lock(row))))
        # Then the locks: whether their session is live stands in a row that has just been copied.
        copied += sum(pool.map(copy, filter(_is_lock, rows)))
    for row in filter(_is_live, rows):  # one after the other: all of them write the same row
        enroll(row)
    return Restored(len(rows), copied)


def _is_lock(row: Item) -> bool:
    return bool(row["sk"]["S"] == LOCK)


def _is_live(row: Item) -> bool:
    """Whether it is a session's row, other than the canary's, that says that the session is live."""
    is_session = row["sk"]["S"] == SESSION and row["pk"]["S"] != session_key(CANARY_ID)["pk"]
    return is_session and row.get("status", {}).get("S") in LIVE


def _while_live(table: str, row: Item) -> Item:
    """Return the part of a transaction that lets it write only while the row's session is live in `table`."""
    statuses = {f":{status.lower()}": {"S": status} for status in sorted(LIVE)}
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": _wire(session_key(row["session_id"]["S"])),
            "ConditionExpression": f"#status IN ({', '.join(statuses)})",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": statuses,
        }
    }


def _enrollment(row: Item) -> Item:
    """Return the update that puts a session into the queue, or among those that hold a slot, unless it is in either."""
    where, entry = "live", row["repo"]
    if row["status"]["S"] == SessionStatus.QUEUED:
        where, entry = "waiting", {"M": {"repo": row["repo"], "since": row["created_at"]}}
    return {
        "Key": _wire(SLOTS_KEY),
        "UpdateExpression": f"SET {where}.#session = :entry ADD version :one",
        "ConditionExpression": "attribute_not_exists(live.#session) AND attribute_not_exists(waiting.#session)",
        "ExpressionAttributeNames": {"#session": row["session_id"]["S"]},
        "ExpressionAttributeValues": {":entry": entry, ":one": {"N": "1"}},
    }


def _wire(key: dict[str, str]) -> Item:
    return {name: {"S": value} for name, value in key.items()}


def _done(write: Callable[[], object]) -> bool:
    """Write; return whether its condition held."""
    try:
        uncontended(write)
    except ClientError as error:
        codes = {
            error.response["Error"]["Code"],
            *(one["Code"] for one in error.response.get("CancellationReasons", ())),
        }
        if codes <= _UNMET:
            return False
        raise
    return True
