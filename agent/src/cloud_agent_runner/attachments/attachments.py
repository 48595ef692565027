"""The files of a prompt, fetched right before its turn: GitHub's addresses of images are good for minutes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cloud_agent_runner.agent_api_connection import AgentApiUnavailableError
from cloud_agent_runner.attachments.download import GITHUB_IMAGES, Downloads, NotFetchedError
from cloud_agent_runner.attachments.given import Given, Image, Missing

if TYPE_CHECKING:
    import httpx

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.agent_api_messages import Attachment, Prompt

logger = logging.getLogger(__name__)

IMAGES_LIMIT = 10  # of a turn
_SECONDS = 30  # for all of them


class Attachments:
    """The attachments of a session's prompts."""

    def __init__(self, api: AgentApi, github_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Those of a GitHub other than github.com are taken to be kept where it is."""
        self._api = api
        self._downloads = Downloads((*GITHUB_IMAGES, github_url), transport)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._downloads.aclose()

    async def of(self, prompt: Prompt) -> Given:
        """Return the images that the prompt's text and discussion name, and which files couldn't be had.

        A file that can't be had keeps nobody from the others, nor from the turn.
        """
        if not prompt.has_attachments:
            return Given()
        try:
            files = await self._api.attachments(prompt.id)
        except AgentApiUnavailableError as error:
            logger.warning("attachments not looked up", extra={"reason": str(error)})
            return Given(unknown=True)
        tried = await asyncio.gather(*(self._fetch(prompt, file) for file in files[:IMAGES_LIMIT]))
        too_many = [Missing(file.url, f"is beyond the first {IMAGES_LIMIT}") for file in files[IMAGES_LIMIT:]]
        given = Given(
            tuple(one for one in tried if isinstance(one, Image)),
            (*(one for one in tried if isinstance(one, Missing)), *too_many),
        )
        logger.info("attachments fetched", extra={"images": len(given.images), "missing": len(given.missing)})
        return given

    async def _fetch(self, prompt: Prompt, file: Attachment) -> Image | Missing:
        if file.signed_url is None:
            return Missing(file.url, "isn't an image" if "/files/" in file.url else "isn't shown by GitHub")
        try:
            async with asyncio.timeout(_SECONDS):
                media_type, content = await self._downloads.image(file.signed_url.get_secret_value())
        except NotFetchedError as error:
            return Missing(file.url, str(error))
        except TimeoutError:
            return Missing(file.url, f"couldn't be fetched within {_SECONDS} seconds")
        return Image(file.url, _place(prompt, file.source), media_type, content)


def _place(prompt: Prompt, source: str) -> str:
    """Return which of the prompt's texts has this address, as Claude knows it."""
    remark = next((one for one in prompt.discussion if one.url == source), None)
    return f"the comment of {remark.author}, {remark.created_at}" if remark else "the request"
