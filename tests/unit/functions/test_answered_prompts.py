"""What moves a prompt to ANSWERED is a request that DynamoDB takes, which refuses values that no expression names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.turn_results import TurnResult

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def test_the_request_has_the_values_that_its_expressions_name(table: Table) -> None:
    sent: list[dict[str, Any]] = []
    prompts = Prompts(table.name)
    prompts._client.meta.events.register(  # noqa: SLF001 - the client of this adapter alone
        "provide-client-params.dynamodb.TransactWriteItems", lambda params, **_: sent.append(params)
    )

    answer = TurnResult(
        prompt_id="0" * 26, is_error=False, result="Done.", turns=1, cost_usd=0.1, created_at="2026-11-29T04:00:00Z"
    )
    prompts.record_turn_result("0123abcd", answer)

    (update,) = [action["Update"] for action in sent[0]["TransactItems"] if "Update" in action]
    named = re.findall(r":\w+", update["UpdateExpression"] + update["ConditionExpression"])
    assert set(update["ExpressionAttributeValues"]) == set(named)
