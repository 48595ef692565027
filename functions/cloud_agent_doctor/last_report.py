"""DynamoDB: what the last run found, so that the next one can tell what's new."""

from __future__ import annotations

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import LAST_REPORT_KEY


class LastReport:
    """One row, written by each run; nobody else reads it."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)

    def replace(self, found: frozenset[str], ended_at: str) -> frozenset[str]:
        """Store what was found and return what the run before had found, in one step."""
        previous = self._table.put_item(
            Item={**LAST_REPORT_KEY, "found": sorted(found), "ended_at": ended_at}, ReturnValues="ALL_OLD"
        )
        return frozenset(str(one) for one in previous.get("Attributes", {}).get("found", []))  # type: ignore[union-attr]
