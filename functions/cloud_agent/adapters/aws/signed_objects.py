"""S3: what sessions leave for later ones, by URLs that let a container reach one object each."""

from __future__ import annotations

import base64
from http import HTTPStatus

from botocore.exceptions import ClientError

from cloud_agent.adapters.aws import clients

# S3 looks at the time when a request begins; a transfer may take longer.
URL_SECONDS = 300


class SignedObjects:
    """The objects of one bucket, by their keys. What is signed here is as good as a credential: it's never logged."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._client = clients.s3()

    def exists(self, key: str) -> bool:
        """Return whether there is such an object.

        S3 answers 403 where there's none, since nobody may list the bucket ("Amazon S3: HeadObject").
        """
        try:
            self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                raise
            return False
        return True

    def download_url(self, key: str) -> str:
        """Return where the object can be had, if there is one."""
        wanted = {"Bucket": self._bucket, "Key": key}
        return self._client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=URL_SECONDS)

    def upload(self, key: str, size_bytes: int, sha256: str) -> tuple[str, dict[str, str]]:
        """Return where these very bytes can be put, and with which headers: their length and checksum are signed."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        put = {"Bucket": self._bucket, "Key": key, "ContentLength": size_bytes, "ChecksumSHA256": checksum}
        url = self._client.generate_presigned_url("put_object", Params=put, ExpiresIn=URL_SECONDS)
        return url, {"Content-Length": str(size_bytes), "x-amz-checksum-sha256": checksum}

    def remove(self, key: str) -> None:
        """Remove the object, if there is one."""
        self._client.delete_object(Bucket=self._bucket, Key=key)
