"""The bucket of transcripts: read by s3:GetObject, one object at a time."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
from aiodynamo.credentials import TooManyRetries
from aiodynamo.errors import AIODynamoError
from aiodynamo.http.httpx import HTTPX

from cloud_agent_proxy.authorities import authorities
from cloud_agent_proxy.aws_credentials import credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiodynamo.credentials import Credentials, Key

    from cloud_agent_proxy.settings import Platform

_TIMEOUT_SECONDS = 2
_MOST_CONNECTIONS = 16
_ATTEMPTS = 2
_EMPTY = hashlib.sha256(b"").hexdigest()
# S3 says "no access" of an object that isn't there to a role that can't list the bucket ("Amazon S3: GetObject").
_MISSING = {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}
_FAILURES = (AIODynamoError, TooManyRetries, TimeoutError, httpx.HTTPError, LookupError, ValueError)


class BucketUnavailableError(Exception):
    """The bucket could not be read."""


@dataclass(frozen=True)
class Bucket:
    """Reads objects whose keys need no escaping in an address: letters, digits, `/`, `.`, `-` and `_`."""

    url: httpx.URL
    region: str
    http: httpx.AsyncClient
    keys: Credentials

    async def get(self, key: str) -> bytes | None:
        """Return the object, None when there is none.

        Raises:
            BucketUnavailableError: S3 did not hand it over within two attempts of 2 s each.
        """
        reason: object = None
        for _ in range(_ATTEMPTS):
            try:
                response = await self._ask(key)
            except _FAILURES as error:
                reason = repr(error)
                continue
            if response.is_success:
                return response.content
            if response.status_code in _MISSING:
                return None
            reason = response.status_code
        raise BucketUnavailableError(f"GetObject of {key}: {reason}")

    async def _ask(self, key: str) -> httpx.Response:
        signer = await self.keys.get_key(HTTPX(self.http))
        if signer is None:
            raise LookupError("there are no credentials")
        url = self.url.join(key)
        return await self.http.get(url, headers=signed_headers(url, signer, self.region, datetime.now(UTC)))


@contextlib.asynccontextmanager
async def open_bucket(
    platform: Platform, name: str, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Bucket]:
    """Open the bucket of this name; `transport` takes the place of the network."""
    at = httpx.URL(f"https://{name}.s3.{platform.region}.amazonaws.com/")
    if platform.s3_url is not None:
        at = httpx.URL(f"{str(platform.s3_url).rstrip('/')}/{name}/")
    limits = httpx.Limits(max_connections=_MOST_CONNECTIONS)
    async with httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS, limits=limits, trust_env=False, verify=authorities(), transport=transport
    ) as http_client:
        yield Bucket(at, platform.region, http_client, credentials())


def signed_headers(url: httpx.URL, key: Key, region: str, now: datetime) -> dict[str, str]:
    """Return the headers that sign a GET request without a query ("AWS Signature Version 4", AWS4-HMAC-SHA256)."""
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": url.netloc.decode(), "x-amz-content-sha256": _EMPTY, "x-amz-date": moment}
    if key.token:
        headers["x-amz-security-token"] = key.token
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n{url.raw_path.decode()}\n\n{lines}\n{names}\n{_EMPTY}"
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signing = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    signature = hmac.digest(signing, to_sign.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "Authorization": credential}
