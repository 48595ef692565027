"""DynamoDB: the commands that people gave in a session, in order, for its transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import commands_key
from cloud_agent.domain.session.session import expiry_after_end
from cloud_agent.domain.session.transcript import CommandEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_COMMENTS = 500  # a row takes 400 KB


class AcceptedCommands:
    """A row of its own for each session, whose list only grows: how many of it were recorded says which weren't."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)

    def accept(self, session_id: str, identity: str, commands: Sequence[CommandEvent]) -> None:
        """Note the commands of the comment or review with this identity, once, however often it's handled."""
        told = [command.model_dump(mode="json", exclude_unset=True) for command in commands]
        try:
            self._table.update_item(
                Key=commands_key(session_id),
                UpdateExpression="SET commands = list_append(if_not_exists(commands, :none), :told), "
                "expires_at = :expires ADD identities :identity",
                ConditionExpression=Attr("identities").not_exists()
                | (~Attr("identities").contains(identity) & Attr("identities").size().lt(_MOST_COMMENTS)),
                ExpressionAttributeValues={
                    ":none": [],
                    ":told": told,
                    ":identity": {identity},
                    ":expires": expiry_after_end(),
                },
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return

    def of(self, session_id: str) -> list[CommandEvent]:
        """Return them, read consistently."""
        item: dict[str, Any] = self._table.get_item(Key=commands_key(session_id), ConsistentRead=True).get("Item", {})
        return [CommandEvent.model_validate(one) for one in item.get("commands", [])]
