"""What was done for a delivery or a comment is remembered, and not done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

from cloud_agent.adapters.aws import clients
from cloud_agent.worker import once_per_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

# GitHub lets a delivery be redelivered for three days; what was acted on is not acted on again.
REMEMBERED_SECONDS = 3 * 24 * 3600


def once(act: Callable[[], dict[str, str]], identity: str, table_name: str, context: LambdaContext) -> dict[str, str]:
    """Act unless that was done for this identity; what failed is forgotten, so that it can be tried again."""
    config = IdempotencyConfig(expires_after_seconds=REMEMBERED_SECONDS)
    # Bounds a try that never ends: a redelivery after this invocation's time is a new try, not "being handled".
    config.register_lambda_context(context)

    def act_for(*, identity: str) -> dict[str, str]:  # noqa: ARG001 - what the act is remembered by
        return act()

    remembered = idempotent_function(
        act_for, data_keyword_argument="identity", persistence_store=_persistence(table_name), config=config
    )
    try:
        outcome: dict[str, str] = remembered(identity=identity)
    except IdempotencyAlreadyInProgressError:
        return {"ignored": "this delivery is being handled already"}
    return outcome


@once_per_worker
def _persistence(table_name: str) -> DynamoDBPersistenceLayer:
    # With a client of its own, Powertools would parse DynamoDB's model a second time, which every cold start pays for.
    return DynamoDBPersistenceLayer(table_name=table_name, boto3_client=clients.client("dynamodb"))
