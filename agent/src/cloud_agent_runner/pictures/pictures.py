"""How the pages that a turn has changed look now, beside how they looked before."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

from cloud_agent_runner.pictures.camera import TooLittleMemoryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.pictures.camera import Camera, Picture
    from cloud_agent_runner.preview.preview import Preview
    from cloud_agent_runner.transcript.transcript import Transcript

logger = logging.getLogger(__name__)

_FRONT_PAGE = "/"
# A turn's result leads to its pictures, so it waits for them; but it took minutes, and nobody is to notice the wait.
_RESPONSE_SECONDS = 6.0
_LOOK_SECONDS = 1.0
_PAGES_REMEMBERED = 40


class Pictures:
    """Takes pictures after each turn that changed files, and reports those that show a difference.

    What a page looked like before is its last picture. Of the front page there's one from before Claude's first change,
    where the preview is live early enough. Where there's no camera, or no preview, nothing happens, and no fault of a
    picture's is worth more than a line in the log.
    """

    def __init__(  # noqa: PLR0913 - what it takes to take, keep and report them
        self,
        camera: Camera | None,
        preview: Preview,
        api: AgentApi,
        transcript: Transcript,
        tasks: asyncio.TaskGroup,
        *,
        is_untouched: Callable[[], Awaitable[bool]],
    ) -> None:
        """`is_untouched` says whether the pages are made of the files that the session began with."""
        self._camera = camera
        self._preview = preview
        self._api = api
        self._transcript = transcript
        self._tasks = tasks
        self._is_untouched = is_untouched
        self._last: dict[tuple[str, int], str] = {}
        self._unsent: dict[str, bytes] = {}
        self._taking: asyncio.Task[None] | None = None
        self._reported = 0
        self._has_mentioned_memory = False
        tasks.create_task(self._take_first())

    async def after_turn(self, pages: Sequence[str]) -> int:
        """Take pictures of the pages that a turn has changed, the front page where none is named.

        Returns how many of them are reported within six seconds; the others follow, unless another turn begins.
        """
        self._reported = 0
        if self._camera is None:
            return 0
        self._taking = self._tasks.create_task(self._take_changed(self._camera, pages or [_FRONT_PAGE]))
        if self._preview.report.state == "live":
            await asyncio.wait([self._taking], timeout=_RESPONSE_SECONDS)
        return self._reported

    def turn_begins(self) -> None:
        """Take no more pictures of the last turn's work: Claude may change it any moment."""
        if self._taking is not None:
            self._taking.cancel()

    async def _take_first(self) -> None:
        """Remember how the front page looks once it's there, unless Claude changes something first."""
        while self._camera:
            if self._preview.report.state == "live":
                if await self._is_untouched():
                    await self._take(self._camera, [_FRONT_PAGE], self._remember_first)
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _take_changed(self, camera: Camera, pages: Sequence[str]) -> None:
        if await self._preview.turn_shown():
            await self._take(camera, pages, self._report)

    async def _take(self, camera: Camera, pages: Sequence[str], use: Callable[[Picture], Awaitable[None]]) -> None:
        try:
            async with aclosing(camera.take(pages, self._preview.report.port)) as pictures:
                async for picture in pictures:
                    await use(picture)
        except TooLittleMemoryError as error:
            logger.warning("pictures not taken", extra={"reason": str(error)})
            if not self._has_mentioned_memory:
                self._has_mentioned_memory = True
                self._transcript.record("notice", text=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the session does without
            logger.warning("pictures not reported", extra={"reason": str(error)})

    async def _remember_first(self, picture: Picture) -> None:
        if await self._is_untouched():
            self._last[picture.page, picture.width] = picture.sha256
            self._unsent[picture.sha256] = picture.png

    async def _report(self, picture: Picture) -> None:
        """Report a picture beside the last one of the page; nothing where they're the same."""
        page, after = (picture.page, picture.width), picture.sha256
        before = self._last.pop(page, None)
        if after != before:
            unsent = self._unsent.pop(before, None) if before else None
            if unsent and not await self._is_kept(unsent):
                before = None
            if await self._is_kept(picture.png):
                self._transcript.record("picture", page=picture.page, width=picture.width, before=before, after=after)
                self._reported += 1
        self._last[page] = after
        if len(self._last) > _PAGES_REMEMBERED:
            del self._last[next(iter(self._last))]

    async def _is_kept(self, png: bytes) -> bool:
        return await self._api.keep_picture(png) is not None
