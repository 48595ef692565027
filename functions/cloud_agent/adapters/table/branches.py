"""DynamoDB: which issue a branch belongs to, and which branches are sessions' own work."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import branch_key
from cloud_agent.domain.session.session import timestamp


@dataclass(frozen=True)
class ClaimedBranch:
    """A branch's name, claimed for an issue.

    `is_created` says that a session created the branch; `attempts` are the commits that earlier attempts to create it
    began with, of which the last may have got through unnoticed.
    """

    is_created: bool
    attempts: frozenset[str]


class Branches:
    """The rows of branches, which stay for good. What GitHub has under a name is not known here."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)
        self._conditional_failure = self._table.meta.client.exceptions.ConditionalCheckFailedException

    def issue_of(self, repository_id: int, branch: str) -> int | None:
        """Return the issue that a branch belongs to, if it's one of a session."""
        item = self._table.get_item(Key=branch_key(repository_id, branch)).get("Item")
        return int(str(item["issue_number"])) if item else None

    def claim(self, repository_id: int, branch: str, issue_number: int, initial_sha: str) -> ClaimedBranch | None:
        """Claim a name for an issue before the branch is created from this commit; None where another issue has it."""
        try:
            before: dict[str, Any] = self._table.update_item(
                Key=branch_key(repository_id, branch),
                UpdateExpression="SET issue_number = :issue ADD attempts :sha",
                ConditionExpression=Attr("pk").not_exists() | Attr("issue_number").eq(issue_number),
                ExpressionAttributeValues={":issue": issue_number, ":sha": {initial_sha}},
                ReturnValues="ALL_OLD",
            ).get("Attributes", {})
        except self._conditional_failure:
            return None
        return ClaimedBranch("created_at" in before, frozenset(before.get("attempts", ())))

    def hand_over(self, repository_id: int, branch: str, issue_number: int) -> None:
        """Have a branch that belongs to another issue belong to this one; whoever was faster stands."""
        holder = self.issue_of(repository_id, branch)
        if holder in {None, issue_number}:
            return
        with suppress(self._conditional_failure):
            self._table.update_item(
                Key=branch_key(repository_id, branch),
                UpdateExpression="SET issue_number = :to",
                ConditionExpression=Attr("issue_number").eq(holder),
                ExpressionAttributeValues={":to": issue_number},
            )

    def record_created(self, repository_id: int, branch: str) -> None:
        """Note that a session created the branch: whoever works on it from now on works on the session's branch."""
        self._table.update_item(
            Key=branch_key(repository_id, branch),
            UpdateExpression="SET created_at = if_not_exists(created_at, :now) REMOVE attempts",
            ExpressionAttributeValues={":now": timestamp()},
        )
