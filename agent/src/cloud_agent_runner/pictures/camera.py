"""Takes pictures of the preview's pages: with Chromium, as the workspace's user, because pages are anybody's code."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cloud_agent_runner.image_type import image_type
from cloud_agent_runner.workspace.ended import ended
from cloud_agent_runner.workspace.user import Processes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Container, Sequence

    from cloud_agent_runner.browser.installed import Browser
    from cloud_agent_runner.workspace.container_memory import ContainerMemory
    from cloud_agent_runner.workspace.user import WorkspaceUser

T = TypeVar("T")

logger = logging.getLogger(__name__)

WIDTHS = (1280, 390)  # a desktop's and a phone's, as Claude looks at its work
LIMIT_BYTES = 1_000_000  # contracts/limits.json holds the Agent API to it, too
_LONGEST_LINE_BYTES = LIMIT_BYTES * 4 // 3 + 4_096
_MOST_HEIGHT = 2_400
_PAGE_SECONDS = 10  # a dev server may have to compile it first
_SECONDS = 30  # of all pages together
_COMPLAINT_BYTES = 2_000
# What Chromium takes for pages of a small application, rounded up. With less, the preview might be ended in its place.
_MIB = 1024**2
_MEMORY_BYTES = 500 * _MIB
_PROGRAM = Path(__file__).with_name("take.mjs")
_NAME = "browser"


@dataclass(frozen=True)
class Picture:
    """A page as it looked at a width in pixels."""

    page: str
    width: int
    png: bytes

    @property
    def sha256(self) -> str:
        """The name that it's kept by."""
        return hashlib.sha256(self.png).hexdigest()


class TooLittleMemoryError(Exception):
    """A browser would use up the container's memory."""

    def __init__(self, spare: int) -> None:
        super().__init__(
            f"No pictures were taken: a browser takes {_MEMORY_BYTES // _MIB} MB of memory, and the container has "
            f"{max(spare, 0) // _MIB} MB to spare. The deployment's `AgentMemory` says how much there is."
        )


class Camera:
    """Opens pages of the preview in a browser that is started for it, with an empty profile.

    `memory` is the container's, where it's the session's alone: with too little of it no browser is started.
    """

    def __init__(self, browser: Browser, user: WorkspaceUser, memory: ContainerMemory | None) -> None:
        self._browser = browser
        self._user = user
        self._memory = memory

    async def take(self, pages: Sequence[str], port: int | None = None) -> AsyncGenerator[Picture]:
        """Yield a picture of each page at each width, as they come: of a page that can't be shown, none.

        `port` is the preview's, if it's not where it usually is. After 30 s it ends with those that there are.

        Raises:
            TooLittleMemoryError: there are none.
        """
        if self._memory and (spare := self._memory.read().spare) < _MEMORY_BYTES:
            raise TooLittleMemoryError(spare)
        deadline = asyncio.get_running_loop().time() + _SECONDS
        wanted = {(page, width) for page in pages for width in WIDTHS}
        async with ended(await self._start(pages, port)) as process:
            try:
                while wanted and (line := await _within(deadline, _line(process.stdout))):
                    picture = _picture(line, wanted)
                    wanted.remove((picture.page, picture.width))
                    yield picture
                if complaint := await _within(deadline, _complaint(process.stderr)):
                    logger.info("pages not pictured", extra={"reason": complaint})
            except (ValueError, TimeoutError) as error:  # what take.mjs doesn't write, such as a line without an end
                logger.warning("pictures not taken", extra={"reason": str(error) or type(error).__name__})

    async def _start(self, pages: Sequence[str], port: int | None) -> asyncio.subprocess.Process:
        job = {
            "launch": self._browser.launch_options,
            "url": self._browser.preview_at(port),
            "pages": list(pages),
            "widths": WIDTHS,
            "seconds": _PAGE_SECONDS,
            "height": _MOST_HEIGHT,
            "bytes": LIMIT_BYTES,
        }
        playwright = self._browser.packages / "playwright-core"
        command = [str(self._browser.node), str(_PROGRAM), str(playwright), json.dumps(job)]
        # Of all that runs, it's needed least: the others may start more processes than it may.
        processes = Processes.CLAUDES_COMMAND
        return await asyncio.create_subprocess_exec(
            *self._user.command(_NAME, *command, directory=self._user.home, processes=processes),
            env=self._user.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE_BYTES,
        )


async def _within(deadline: float, awaited: Awaitable[T]) -> T:
    async with asyncio.timeout_at(deadline):
        return await awaited


async def _line(output: asyncio.StreamReader | None) -> bytes:
    return await output.readline() if output else b""


async def _complaint(output: asyncio.StreamReader | None) -> str:
    """Return the end of what the program says of pages that it couldn't show."""
    said = b""
    while output and (piece := await output.read(_COMPLAINT_BYTES)):
        said = (said + piece)[-_COMPLAINT_BYTES:]
    return said.decode(errors="replace").strip()


def _picture(line: bytes, wanted: Container[tuple[str, int]]) -> Picture:
    """Return the picture of a line.

    Raises:
        ValueError: it has none, none that's wanted, or one of another size than it says.
    """
    try:
        members = json.loads(line)
        picture = Picture(str(members["page"]), int(members["width"]), b64decode(members["png"], validate=True))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no picture") from error
    if (picture.page, picture.width) not in wanted:
        raise ValueError("not a page that was asked for")
    found = image_type(picture.png)
    is_good = (
        found is not None
        and (found.media_type, found.width) == ("image/png", picture.width)
        and 0 < found.height <= _MOST_HEIGHT
    )
    if not is_good or len(picture.png) > LIMIT_BYTES:
        raise ValueError("no PNG of the size that was asked for")
    return picture
