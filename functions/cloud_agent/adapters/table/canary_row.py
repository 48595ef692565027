"""DynamoDB: the canary's row, by which the proxy sends a probe to it as it sends visitors to a session."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import session_key
from cloud_agent.domain.session.canary import CANARY_ID, CANARY_PORT, KEPT
from cloud_agent.domain.session.session import SessionStatus, timestamp

if TYPE_CHECKING:
    from cloud_agent.domain.session.agent_task import AgentTask


def put_canary(table_name: str, task: AgentTask) -> None:
    """Let the canary's row be that of a running session in this task, for an hour from now."""
    now = datetime.now(UTC)
    clients.table(table_name).update_item(
        Key=session_key(CANARY_ID),
        UpdateExpression="SET session_id = :id, #status = :running, ip = :ip, port = :port, task_arn = :task,"
        " created_at = if_not_exists(created_at, :now), expires_at = :expires",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":id": CANARY_ID,
            ":running": SessionStatus.RUNNING,
            ":ip": task.ip,
            ":port": CANARY_PORT,
            ":task": task.taskArn,
            ":now": timestamp(now),
            ":expires": int((now + KEPT).timestamp()),
        },
    )
