"""DynamoDB: what has been explained to whom, so that nobody can make a reply come again and again."""

from __future__ import annotations

import time

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import explained_key
from cloud_agent.domain.session.session import expiry_after_end


class Explanations:
    """One row for each subject and topic, kept for 30 days."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)
        self._conditional_failure = self._table.meta.client.exceptions.ConditionalCheckFailedException

    def may_explain(self, repository_id: int, subject: str, topic: str, identity: str) -> bool:
        """Whether this is to be explained for this delivery or comment: for the first one alone, whenever it comes.

        `subject` is what it is explained once for: `issue#42` or `session#09e22a8b`.
        """
        key = explained_key(repository_id, subject, topic)
        try:
            self._table.put_item(
                Item={**key, "explained_for": identity, "expires_at": expiry_after_end()},
                ConditionExpression=Attr("pk").not_exists()
                | Attr("explained_for").eq(identity)
                | Attr("expires_at").lt(int(time.time())),
            )
        except self._conditional_failure:
            return False
        return True
