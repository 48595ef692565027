"""S3: the installed dependencies of repositories, by URLs that let a container reach one object each."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cloud_agent.adapters.aws import clients

if TYPE_CHECKING:
    from cloud_agent.domain.session.dependency_cache import ArchivePlace

# S3 looks at the time when a request begins; a transfer may take longer.
URL_SECONDS = 300


class DependencyArchives:
    """The archives of one bucket. What is signed here is as good as a credential: it's never logged."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._client = clients.s3()

    def download_url(self, place: ArchivePlace) -> str:
        """Return where the archive can be had, if there is one."""
        wanted = {"Bucket": self._bucket, "Key": place.object_key}
        return self._client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=URL_SECONDS)

    def upload(self, place: ArchivePlace, size_bytes: int, sha256: str) -> tuple[str, dict[str, str]]:
        """Return where this very archive can be put, and with which headers: its length and checksum are signed."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        put = {
            "Bucket": self._bucket,
            "Key": place.object_key,
            "ContentLength": size_bytes,
            "ChecksumSHA256": checksum,
        }
        url = self._client.generate_presigned_url("put_object", Params=put, ExpiresIn=URL_SECONDS)
        return url, {"Content-Length": str(size_bytes), "x-amz-checksum-sha256": checksum}
