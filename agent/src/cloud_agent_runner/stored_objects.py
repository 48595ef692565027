"""What sessions leave for later ones, by signed URLs of one object each. A URL is a credential: it's never logged."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import IO, TYPE_CHECKING

import httpx

from cloud_agent_runner.authorities import authorities

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pydantic import SecretStr

    from cloud_agent_runner.agent_api_messages import Upload

_IDLE_SECONDS = 30
_CHUNK_BYTES = 1 << 18


class StoredObjects:
    """The objects that the Agent API hands out URLs of. Where a transfer fails, httpx.HTTPError is raised."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    @asynccontextmanager
    async def download(self, url: SecretStr) -> AsyncIterator[AsyncIterator[bytes] | None]:
        """Return the object's content as it comes, or None where there is none."""
        async with self._http() as http, http.stream("GET", url.get_secret_value()) as response:
            # Where nobody may list a bucket, S3 doesn't say that an object isn't there ("Amazon S3: GetObject").
            if response.status_code in {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}:
                yield None
            else:
                response.raise_for_status()
                yield response.aiter_bytes(_CHUNK_BYTES)

    async def upload(self, upload: Upload, file: IO[bytes]) -> None:
        """Store a file from its beginning, where the URL of `upload` isn't None."""
        if upload.url is None:
            return
        file.seek(0)
        async with self._http() as http:
            content = _chunks(file)
            response = await http.put(upload.url.get_secret_value(), headers=upload.headers, content=content)
            response.raise_for_status()

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_IDLE_SECONDS, verify=authorities(), transport=self._transport)


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def without_address(error: Exception) -> str:
    """Return what went wrong. httpx's own words have the URL in them."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return type(error).__name__ if isinstance(error, httpx.HTTPError) else str(error) or type(error).__name__
