"""DynamoDB: how far each stream of a session's transcript has come, and how many pictures it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import transcript_key
from cloud_agent.domain.session.picture import PICTURES_LIMIT, TOTAL_LIMIT_BYTES
from cloud_agent.domain.session.session import expiry_after_end
from cloud_agent.domain.session.transcript_position import Position

if TYPE_CHECKING:
    from cloud_agent.domain.session.transcript import Stream


class TranscriptPositions:
    """A row of its own for each session: a write of the session's own costs more, and is published."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)

    def get(self, session_id: str, stream: Stream) -> Position:
        """Return the stream's position, read consistently; its beginning where nothing has been written."""
        item: dict[str, Any] = self._table.get_item(Key=transcript_key(session_id), ConsistentRead=True).get("Item", {})
        return Position(
            batches=int(item.get(f"{stream}_batches", 0)),
            events=int(item.get(f"{stream}_events", 0)),
            size_bytes=int(item.get(f"{stream}_bytes", 0)),
            digest=str(item.get(f"{stream}_digest", "")),
            is_full=bool(item.get(f"{stream}_full", False)),
            status=str(item.get(f"{stream}_status", "")),
            commands=int(item.get(f"{stream}_commands", 0)),
        )

    def advance(self, session_id: str, stream: Stream, position: Position) -> bool:
        """Make a batch part of the stream by moving to the position after it; returns False if the stream isn't there.

        Then somebody else has moved it.
        """
        batches = f"{stream}_batches"
        is_first = position.batches == 1
        members = ("batches", "events", "bytes", "digest", "full", "status", "commands")
        names = {f"#{name}": f"{stream}_{name}" for name in members}
        try:
            self._table.update_item(
                Key=transcript_key(session_id),
                UpdateExpression=f"SET {', '.join(f'{name} = :{name[1:]}' for name in names)}, expires_at = :expires",
                ConditionExpression=Attr(batches).not_exists() if is_first else Attr(batches).eq(position.batches - 1),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={
                    ":batches": position.batches,
                    ":events": position.events,
                    ":bytes": position.size_bytes,
                    ":digest": position.digest,
                    ":full": position.is_full,
                    ":status": position.status,
                    ":commands": position.commands,
                    ":expires": expiry_after_end(),
                },
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def count_picture(self, session_id: str, size_bytes: int) -> bool:
        """Count one more picture of that size; returns False where there are as many already as may be kept."""
        none_yet = Attr("pictures").not_exists()
        has_room = Attr("pictures").lt(PICTURES_LIMIT) & Attr("picture_bytes").lte(TOTAL_LIMIT_BYTES - size_bytes)
        try:
            self._table.update_item(
                Key=transcript_key(session_id),
                UpdateExpression="SET expires_at = :expires ADD pictures :one, picture_bytes :bytes",
                ConditionExpression=none_yet | has_room,
                ExpressionAttributeValues={":expires": expiry_after_end(), ":one": 1, ":bytes": size_bytes},
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return False
        return True
