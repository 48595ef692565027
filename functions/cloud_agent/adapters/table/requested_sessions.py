"""DynamoDB: the session asked for last, by issue; and what has been explained to whom, so that it is said once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import cancelled_key, explained_key, last_key
from cloud_agent.domain.session.requested_session import RequestedSession
from cloud_agent.domain.session.session import expiry_after_end, timestamp

if TYPE_CHECKING:
    from datetime import datetime


class RequestedSessions:
    """One row for each issue: its last session, claimed or not."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)
        self._conditional_failure = self._table.meta.client.exceptions.ConditionalCheckFailedException

    def last(self, repo: str, issue_number: int) -> RequestedSession | None:
        """Return the session asked for last, if any in the last 30 days; read consistently."""
        item = self._table.get_item(Key=last_key(repo, issue_number), ConsistentRead=True).get("Item")
        return RequestedSession.model_validate(item) if item else None

    def note(self, repo: str, issue_number: int, requested: RequestedSession) -> None:
        """Make this the session asked for last."""
        times = {"asked_at": timestamp(requested.asked_at), "requested_at": timestamp(requested.requested_at)}
        row = requested.model_dump(exclude_none=True) | times | {"expires_at": expiry_after_end()}
        self._table.put_item(Item=last_key(repo, issue_number) | row)

    def note_asked_again(self, repo: str, issue_number: int, session_id: str, asked_at: datetime) -> None:
        """Note that this session, if it is the last, was asked for once more, and later."""
        try:
            self._table.update_item(
                Key=last_key(repo, issue_number),
                UpdateExpression="SET asked_at = :at",
                ConditionExpression=Attr("session_id").eq(session_id) & Attr("asked_at").lt(timestamp(asked_at)),
                ExpressionAttributeValues={":at": timestamp(asked_at)},
            )
        except self._conditional_failure:
            return

    def call_off(self, repo: str, issue_number: int, session_id: str) -> None:
        """Keep a session that has been asked for from ever beginning: the state that claims it looks for this row."""
        self._table.put_item(Item=cancelled_key(session_id) | {"expires_at": expiry_after_end()})
        try:
            self._table.update_item(
                Key=last_key(repo, issue_number),
                UpdateExpression="SET called_off = :true",
                ConditionExpression=Attr("session_id").eq(session_id),
                ExpressionAttributeValues={":true": True},
            )
        except self._conditional_failure:
            return

    def may_explain(self, repo: str, subject: str, topic: str, identity: str) -> bool:
        """Whether this is to be explained for this delivery or comment: the first one alone, whenever it is handled.

        `subject` is what it is explained once for: `issue#42` or `session#09e22a8b`. Kept for 30 days.
        """
        try:
            self._table.put_item(
                Item=explained_key(repo, subject, topic)
                | {"explained_for": identity, "expires_at": expiry_after_end()},
                ConditionExpression=Attr("pk").not_exists()
                | Attr("explained_for").eq(identity)
                | Attr("expires_at").lt(int(time.time())),
            )
        except self._conditional_failure:
            return False
        return True
