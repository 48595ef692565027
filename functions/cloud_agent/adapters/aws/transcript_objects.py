"""S3: the batches and pictures of transcripts, an object each, which is written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cloud_agent.adapters.aws import clients

if TYPE_CHECKING:
    from cloud_agent.domain.session.transcript import Stream


class TranscriptObjects:
    """The objects of one bucket under transcripts/."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._client = clients.s3()

    def create(self, session_id: str, stream: Stream, batch: int, content: bytes) -> bool:
        """Write a batch; returns False where there is one already, which stays as it is.

        Raises:
            ClientError: anything else, such as somebody who is just writing the same batch (409).
        """
        return self._create(_key(session_id, stream, batch), content, "application/jsonl; charset=utf-8")

    def create_picture(self, session_id: str, sha256: str, png: bytes) -> bool:
        """Write a picture by the hash of its content; returns False where it's there already. Raises as `create`."""
        return self._create(f"transcripts/{session_id}/pictures/{sha256}.png", png, "image/png")

    def read(self, session_id: str, stream: Stream, batch: int) -> bytes:
        """Return a batch that there is."""
        found = self._client.get_object(Bucket=self._bucket, Key=_key(session_id, stream, batch))
        return found["Body"].read()

    def _create(self, key: str, content: bytes, content_type: str) -> bool:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType=content_type, IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True


def _key(session_id: str, stream: Stream, batch: int) -> str:
    return f"transcripts/{session_id}/{stream}/{batch:010d}.jsonl"
