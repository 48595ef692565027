"""DynamoDB: a session's idle end. Whoever writes to the session or visits it at the same moment wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.contention import uncontended
from cloud_agent.adapters.table.keys import session_key
from cloud_agent.domain.session.session import Ending, Session, SessionStatus, timestamp

if TYPE_CHECKING:
    from datetime import datetime


class IdleWarnings:
    """Changes a running session's row only while it is as idle as the row that was read says."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)

    def warn(self, session: Session, ends_at: datetime) -> bool:
        """Note when the session is going to end; returns False when it was not left alone meanwhile."""
        return self._update(session, "SET idle_ends_at = :value", timestamp(ends_at))

    def cancel(self, session: Session) -> bool:
        """Take the warning back; returns False when it is another one by now."""
        return self._update(session, "REMOVE idle_ends_at")

    def end(self, session: Session, ending: Ending) -> bool:
        """Ask the session to end; returns False when it was not left alone, or somebody else has asked."""
        return self._update(session, "SET ending = :value", ending.model_dump(mode="json"))

    def _update(self, session: Session, expression: str, value: object = None) -> bool:
        values: dict[str, Any] = {} if value is None else {"ExpressionAttributeValues": {":value": value}}
        try:
            uncontended(
                lambda: self._table.update_item(
                    Key=session_key(session.session_id),
                    UpdateExpression=expression,
                    ConditionExpression=_left_alone(session),
                    **values,
                )
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _left_alone(session: Session) -> Any:  # noqa: ANN401 - boto3's condition builder
    condition = Attr("status").eq(SessionStatus.RUNNING) & Attr("ending").not_exists()
    for name in ("last_active_at", "last_visited_at", "idle_ends_at"):
        value = getattr(session, name)
        condition &= Attr(name).not_exists() if value is None else Attr(name).eq(value)
    return condition
