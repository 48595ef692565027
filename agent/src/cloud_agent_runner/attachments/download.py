"""One image from GitHub's storage, without any credential but the address itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from cloud_agent_runner.authorities import authorities
from cloud_agent_runner.image_type import image_type

if TYPE_CHECKING:
    from collections.abc import Iterable

# GitHub's storage of images: the signed ones, and those of before 2023.
GITHUB_IMAGES = ("https://private-user-images.githubusercontent.com", "https://user-images.githubusercontent.com")
LIMIT_BYTES = 5 * 1024 * 1024
LIMIT_PIXELS = 8_000  # on an edge; the API takes no larger ones ("Claude API: Vision")
_TIMEOUT = httpx.Timeout(10)


class NotFetchedError(Exception):
    """Why an attachment isn't there, as the end of a sentence."""


class Downloads:
    """Fetches images from a few hosts. Addresses come from what people wrote: no other host is ever connected to."""

    def __init__(self, origins: Iterable[str], transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._origins = {_origin(httpx.URL(origin)) for origin in origins}
        # Redirects aren't followed, and no netrc file is read.
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, verify=authorities(), transport=transport)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def image(self, address: str) -> tuple[str, bytes]:
        """Return an image's media type and content.

        Raises:
            NotFetchedError: it isn't to be had, or isn't an image that the model API takes.
        """
        content = await self._content(self._allowed(address))
        found = image_type(content)
        if found is None:
            raise NotFetchedError("isn't a PNG, JPEG, GIF or WebP image")
        if max(found.width, found.height) > LIMIT_PIXELS:
            raise NotFetchedError(f"is larger than {LIMIT_PIXELS:,} pixels")
        return found.media_type, content

    def _allowed(self, address: str) -> httpx.URL:
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            raise NotFetchedError("isn't kept by GitHub") from None
        if url.userinfo or _origin(url) not in self._origins:
            raise NotFetchedError("isn't kept by GitHub")
        return url

    async def _content(self, url: httpx.URL) -> bytes:
        content = bytearray()
        try:
            # Not compressed: so what counts is what comes.
            async with self._http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
                if response.status_code != httpx.codes.OK:
                    raise NotFetchedError(f"couldn't be fetched (HTTP {response.status_code})")
                async for chunk in response.aiter_raw():
                    content += chunk
                    if len(content) > LIMIT_BYTES:
                        raise NotFetchedError(f"is larger than {LIMIT_BYTES // 1024**2} MB")
        except httpx.HTTPError as error:
            raise NotFetchedError(f"couldn't be fetched ({type(error).__name__})") from error
        return bytes(content)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
