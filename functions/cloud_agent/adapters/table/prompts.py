"""DynamoDB: a session's prompts and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.contention import uncontended
from cloud_agent.adapters.table.keys import PROMPT, TURN_RESULT, kind_and_name, prompt_key, session_key, turn_result_key
from cloud_agent.domain.conversation.prompts import Prompt, PromptState
from cloud_agent.domain.conversation.turn_results import TurnResult
from cloud_agent.domain.session.session import LIVE, expiry_after_end, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

_IF_PENDING = {
    "ConditionExpression": "#state = :pending",
    "ExpressionAttributeNames": {"#state": "state"},
    "ExpressionAttributeValues": {":pending": PromptState.PENDING},
}


class Prompts:
    """The prompts of sessions and their answers. A prompt is stored once and answered once."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)
        self._client = self._table.meta.client

    def put(self, session_id: str, prompt: Prompt) -> None:
        """Store a prompt whether or not the session lives. Run twice, it is stored once.

        For the issue, before the session has a row, and for a follow-up after its end, which a successor carries over.
        """
        try:
            self._table.put_item(Item=_item(session_id, prompt), ConditionExpression=Attr("pk").not_exists())
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def add(self, session_id: str, prompt: Prompt) -> bool:
        """Store a follow-up of a live session; returns False when the session has ended.

        The same comment has the same id, so that a second delivery of it changes nothing, whatever has become of it.
        The session's row names the prompt, so that its agent need not list them all to see that there is one more.
        """
        session = {
            "TableName": self._table.name,
            "Key": session_key(session_id),
            "UpdateExpression": "SET last_active_at = :now, latest_prompt_id = :prompt REMOVE idle_ends_at",
            "ConditionExpression": "#status IN (:queued, :starting, :running)",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":now": timestamp(), ":prompt": prompt.id}
            | {f":{status.lower()}": status for status in LIVE},
        }
        of_session, _ = self._write({"Update": session}, {"Put": self._new(session_id, prompt)})
        return of_session != "ConditionalCheckFailed"

    def of(self, session_id: str) -> list[Prompt]:
        """Every prompt of the session in the order people wrote them."""
        return [Prompt.model_validate(item | {"id": _id(item)}) for item in self._query(session_id, PROMPT)]

    def unanswered(self, session_id: str) -> list[Prompt]:
        """Return the prompts that still wait for an answer, oldest first."""
        return [prompt for prompt in self.of(session_id) if prompt.state in {PromptState.PENDING, PromptState.TAKEN}]

    def replace(self, session_id: str, prompt: Prompt) -> bool:
        """Put another text in a prompt's place; returns False when Claude has begun to work on it."""
        return self._edit(session_id, {"Put": self._new(session_id, prompt) | _IF_PENDING})

    def cancel(self, session_id: str, prompt_id: str) -> bool:
        """PENDING → CANCELLED; returns False when Claude has begun to work on it."""
        update = {
            "TableName": self._table.name,
            "Key": prompt_key(session_id, prompt_id),
            "UpdateExpression": "SET #state = :cancelled",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":pending": PromptState.PENDING, ":cancelled": PromptState.CANCELLED},
            "ConditionExpression": "#state = :pending",
        }
        return self._edit(session_id, {"Update": update})

    def _edit(self, session_id: str, action: dict[str, Any]) -> bool:
        """Change a prompt, and count that on the session's row, so that its agent sees it."""
        session = {
            "TableName": self._table.name,
            "Key": session_key(session_id),
            "UpdateExpression": "ADD prompt_edits :one",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":one": 1},
        }
        return "ConditionalCheckFailed" not in self._write({"Update": session}, action)

    def take(self, session_id: str, prompt_id: str) -> bool:
        """PENDING → TAKEN; returns False when the session has no such prompt, or it has been answered."""
        try:
            uncontended(
                lambda: self._table.update_item(
                    Key=prompt_key(session_id, prompt_id),
                    UpdateExpression="SET #state = :taken",
                    ConditionExpression=Attr("state").is_in([PromptState.PENDING, PromptState.TAKEN]),
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={":taken": PromptState.TAKEN},
                )
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def record_turn_result(self, session_id: str, result: TurnResult) -> bool:
        """Store a turn's outcome and move its prompt to ANSWERED, both or neither.

        Returns False when the session has no such prompt, or it was answered before: the first result stands.
        """
        prompt = {
            "TableName": self._table.name,
            "Key": prompt_key(session_id, result.prompt_id),
            "UpdateExpression": "SET #state = :answered",
            "ConditionExpression": "#state IN (:pending, :taken)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":pending": PromptState.PENDING,
                ":taken": PromptState.TAKEN,
                ":answered": PromptState.ANSWERED,
            },
        }
        key = turn_result_key(session_id, result.prompt_id)
        attributes = result.model_dump(mode="json", exclude={"prompt_id"}, exclude_none=True)
        item = key | attributes | {"expires_at": expiry_after_end()}
        refused = self._write({"Update": prompt}, {"Put": {"TableName": self._table.name, "Item": item}})
        return "ConditionalCheckFailed" not in refused

    def turn_results_of(self, session_id: str) -> list[TurnResult]:
        """Every turn's result, in the order of its prompts."""
        return [
            TurnResult.model_validate(item | {"prompt_id": _id(item)}) for item in self._query(session_id, TURN_RESULT)
        ]

    def take_over(self, prompts: Iterable[Prompt], session_id: str) -> None:
        """Store prompts of an earlier session as prompts of this one, under the same ids. Run twice, once."""
        for prompt in prompts:
            self.put(session_id, prompt)

    def _new(self, session_id: str, prompt: Prompt) -> dict[str, Any]:
        return {
            "TableName": self._table.name,
            "Item": _item(session_id, prompt),
            "ConditionExpression": "attribute_not_exists(pk)",
        }

    def _write(self, *actions: Any) -> list[str]:  # noqa: ANN401 - DynamoDB's documents
        """All of the actions or none; returns what DynamoDB says of each when it refuses, "None" for the blameless."""
        try:
            uncontended(lambda: self._client.transact_write_items(TransactItems=list(actions)))
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = [str(reason["Code"]) for reason in error.response["CancellationReasons"]]
            if "ConditionalCheckFailed" not in reasons:
                raise
            return reasons
        return ["None"] * len(actions)

    def _query(self, session_id: str, kind: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        partition = session_key(session_id)["pk"]
        while True:
            page = self._table.query(
                KeyConditionExpression=Key("pk").eq(partition) & Key("sk").begins_with(f"{kind}#"),
                ConsistentRead=True,
                **start,
            )
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _item(session_id: str, prompt: Prompt) -> dict[str, Any]:
    attributes = prompt.model_dump(mode="json", exclude={"id"}, exclude_none=True)
    return prompt_key(session_id, prompt.id) | attributes | {"expires_at": expiry_after_end()}


def _id(item: dict[str, Any]) -> str:
    return kind_and_name(str(item["sk"]))[1]
