"""DynamoDB: the session requested last, by issue, and those that were cancelled before they began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import cancelled_key, last_key
from cloud_agent.domain.errors import RequestOvertakenError
from cloud_agent.domain.session.session import expiry_after_end, timestamp
from cloud_agent.domain.session.session_request import RequestedSession

if TYPE_CHECKING:
    from datetime import datetime


class RequestedSessions:
    """One row for each issue: its last session, claimed or not."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)
        self._conditional_failure = self._table.meta.client.exceptions.ConditionalCheckFailedException

    def last(self, repository_id: int, issue_number: int) -> RequestedSession | None:
        """Return the session requested last, if any in the last 30 days; read consistently."""
        item = self._table.get_item(Key=last_key(repository_id, issue_number), ConsistentRead=True).get("Item")
        members = RequestedSession.model_fields.keys()
        return RequestedSession.model_validate({name: item[name] for name in item.keys() & members}) if item else None

    def record(self, session: RequestedSession, after: RequestedSession | None) -> None:
        """Make this the session requested last, after the one that was seen to be the last.

        Raises:
            RequestOvertakenError: another session has been requested since; nothing is recorded.
        """
        row = session.model_dump(mode="json") | {"expires_at": expiry_after_end()}
        seen = Attr("session_id").eq(after.session_id) if after else Attr("session_id").not_exists()
        try:
            self._table.put_item(
                Item=last_key(session.repository_id, session.issue_number) | row,
                ConditionExpression=seen | Attr("session_id").eq(session.session_id),
            )
        except self._conditional_failure:
            text = f"Another session was requested for issue #{session.issue_number} at the same moment."
            raise RequestOvertakenError(text) from None

    def record_repetition(self, repository_id: int, issue_number: int, session_id: str, triggered_at: datetime) -> None:
        """Record that this session, if it is the last, was requested once more, and later."""
        try:
            self._table.update_item(
                Key=last_key(repository_id, issue_number),
                UpdateExpression="SET triggered_at = :at",
                ConditionExpression=Attr("session_id").eq(session_id)
                & Attr("triggered_at").lt(timestamp(triggered_at)),
                ExpressionAttributeValues={":at": timestamp(triggered_at)},
            )
        except self._conditional_failure:
            return

    def cancel(self, session_id: str) -> None:
        """Keep a requested session from ever beginning: the state that claims it looks for this row."""
        self._table.put_item(Item=cancelled_key(session_id) | {"expires_at": expiry_after_end()})

    def is_cancelled(self, session_id: str) -> bool:
        """Whether the session was cancelled before it began; read consistently."""
        return "Item" in self._table.get_item(Key=cancelled_key(session_id), ConsistentRead=True)
