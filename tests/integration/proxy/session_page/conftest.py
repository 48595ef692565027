"""Sessions whose transcripts are in a bucket that a real proxy reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tests.integration.proxy.conftest import ARTIFACTS_BUCKET
from tests.kit.sessions import serialized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.proxy.conftest import SessionsTable


@dataclass
class Recorder:
    """Writes sessions' rows and transcripts as the functions do: the objects first, then how many there are."""

    s3: Any
    table: SessionsTable

    def put(self, batches: Sequence[bytes], **attributes: object) -> str:
        """Write all of a session; return its id."""
        session_id = self.table.put(**attributes)
        self.extend(session_id, batches)
        return session_id

    def extend(self, session_id: str, batches: Sequence[bytes], *, known: int = 0, workflow: bool = False) -> None:
        """Write these batches after those that are `known`."""
        stream = "workflow" if workflow else "agent"
        for number, lines in enumerate(batches, known + 1):
            self.put_object(session_id, f"{stream}/{number:010d}.jsonl", lines)
        self.table.client.update_item(
            TableName=self.table.name,
            Key=serialized({"pk": f"SESSION#{session_id}", "sk": "TRANSCRIPT"}),
            UpdateExpression=f"SET {stream}_batches = :n",
            ExpressionAttributeValues=serialized({":n": known + len(batches)}),
        )

    def put_object(self, session_id: str, name: str, content: bytes) -> None:
        self.s3.put_object(Bucket=ARTIFACTS_BUCKET, Key=f"transcripts/{session_id}/{name}", Body=content)


@pytest.fixture(scope="session")
def recorder(aws_endpoint: str, table: SessionsTable) -> Recorder:
    s3 = boto3.client(
        "s3",
        endpoint_url=aws_endpoint,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    s3.create_bucket(Bucket=ARTIFACTS_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return Recorder(s3, table)
