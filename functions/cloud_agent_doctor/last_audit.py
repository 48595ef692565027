"""DynamoDB: what the last audit of the stack found, so that the next can tell what is new."""

from __future__ import annotations

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import LAST_AUDIT_KEY


class LastAudit:
    """One row, written by each audit; nobody else reads it."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)

    def replace(self, found: frozenset[str], ended_at: str) -> frozenset[str]:
        """Put what was found in the place of what the audit before found, and return that, in one step."""
        answer = self._table.put_item(
            Item={**LAST_AUDIT_KEY, "found": sorted(found), "ended_at": ended_at}, ReturnValues="ALL_OLD"
        )
        return frozenset(str(one) for one in answer.get("Attributes", {}).get("found", []))  # type: ignore[union-attr]
