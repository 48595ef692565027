"""The session's preview: the dev server comes up beside Claude, and is tried again until it does."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn

from cloud_agent_runner.agent_api_messages import PreviewReport
from cloud_agent_runner.preview.detection import DevServerNotConfiguredError
from cloud_agent_runner.preview.dev_server import DevServerNotReadyError, InstallFailedError
from cloud_agent_runner.preview.probe import NoResponseError
from cloud_agent_runner.preview.services.services import ServiceFailedError
from cloud_agent_runner.repository.config_file import RepositoryConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from cloud_agent_runner.agent_api_messages import PreviewState
    from cloud_agent_runner.preview.dev_server import DevServer, LogSource
    from cloud_agent_runner.preview.plan import DevServerPlan
    from cloud_agent_runner.preview.preparation import Preparation, Step
    from cloud_agent_runner.preview.probe import LocalName, PageResponse
    from cloud_agent_runner.preview.source import PreviewSource
    from cloud_agent_runner.preview.warm_start import WarmStart
    from cloud_agent_runner.repository.config import HostHeader

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0
_LINES_SHOWN = 20
_DEATHS_OF_A_FAILURE = 3
_WORTH_ANOTHER_TRY = frozenset({"failed", "none"})
_DOES_NOT_LISTEN = "It stopped listening and is started again."


@dataclass(frozen=True)
class _Standing:
    """How an attempt goes. `shows_log` says whether the log says more."""

    state: PreviewState
    detail: str = ""
    shows_log: bool = False


class Preview:
    """Installs and runs the repository's dev server for as long as the session runs. Nothing of it ends the session.

    An attempt that fails is made again when files that it depends on change, and after each of Claude's turns.
    """

    def __init__(
        self, source: PreviewSource, *, warm_start: WarmStart | None = None, look_seconds: float = _LOOK_SECONDS
    ) -> None:
        self._source = source
        self._warm_start = warm_start
        self._look_seconds = look_seconds
        self._standing = _Standing("starting")
        self._plan: DevServerPlan | None = None
        self._dev_server: DevServer | None = None
        self._again = asyncio.Event()
        self._installed = asyncio.Event()
        self._done: set[Step] = set()
        self._flaw = ""
        self._flaw_beside = ""
        self._turn_has_ended = asyncio.Event()
        self._turn_is_shown = asyncio.Event()
        self._turn_has_changed = False
        self._host_header: HostHeader | LocalName | None = None
        self._page_changes = 0
        self._revision: int | None = None

    @property
    def report(self) -> PreviewReport:
        """How the preview is now, for people and for Claude."""
        log = self.last_lines() if self._standing.shows_log else ""
        port = self._dev_server.second_port if self._dev_server else None
        return PreviewReport(self._standing.state, self._standing.detail, log, self._host_header, self._revision, port)

    @property
    def why(self) -> str:
        """What shows how the dev server runs, for people; nothing where it doesn't."""
        return self._plan.why if self._plan else ""

    def last_lines(self, count: int = _LINES_SHOWN) -> str:
        """Return the last lines that the install command or the dev server wrote; nothing where neither has run."""
        return self._dev_server.last_lines(count) if self._dev_server else ""

    def output(self) -> tuple[LogSource, list[str]]:
        """Return whether the install command or the dev server ran last, and the last lines that it wrote."""
        return self._dev_server.output() if self._dev_server else ("install", [])

    def note(self, line: str) -> None:
        """Add a line of the supervisor's own to those of the command that runs."""
        if self._dev_server:
            self._dev_server.note(line)

    def turn_ended(self) -> None:
        """Try again what has failed, or what the turn has made another dev server; look at any other anew."""
        self._turn_is_shown.clear()
        self._turn_has_ended.set()
        if self._standing.state in _WORTH_ANOTHER_TRY or self._is_another_plan():
            self._again.set()

    async def turn_shown(self) -> bool:
        """Return once pages show what the last turn has changed; whether it has changed anything that they're made of.

        Where that takes a restart, or an attempt that comes to something, this waits for it.
        """
        await self._turn_is_shown.wait()
        return self._turn_has_changed

    async def first_installed(self) -> None:
        """Return once the first installation is over, whatever came of it, and what others get of it is packed."""
        await self._installed.wait()
        if self._warm_start:
            await self._warm_start.packed()

    async def run(self) -> NoReturn:
        """Bring the dev server up and keep it up, until cancelled."""
        while True:
            self._again.clear()
            await self._attempt()

    async def _attempt(self) -> None:
        """Run the dev server until it is to be started all over again."""
        try:
            self._plan = self._source.plan()
            self._stands("starting")
            dev_server = self._dev_server = await self._source.dev_server(self._plan)
            if examples := self._source.environment_files():
                await dev_server.prepare(examples)
            if self._plan.install:
                self._stands("starting", f"`{self._plan.install}` is running", shows_log=True)
                await self._install(dev_server, self._plan.install)
            await self._source.installed()
            self._installed.set()
            await self._prepare(dev_server, self._plan.prepare)
        except DevServerNotConfiguredError as error:
            self._installed.set()
            self._stands("none", str(error).partition("\n")[0])
            await self._until_again()
        except (RepositoryConfigError, ServiceFailedError, InstallFailedError) as error:
            self._installed.set()
            what, _, _ = str(error).partition("\nFor example:")
            self._stands("failed", what, shows_log=isinstance(error, InstallFailedError))
            await self._until_again()
        else:
            self._stands("starting", f"{self._plan.in_words} is starting", shows_log=True)
            await _first_of(dev_server.keep_running(), self._follow(dev_server, self._plan), self._until_again())

    async def _install(self, dev_server: DevServer, command: str) -> None:
        if self._warm_start:
            await self._warm_start.install(dev_server, command)
        else:
            await dev_server.install(command)

    async def _prepare(self, dev_server: DevServer, prepare: Preparation) -> None:
        """Run the steps, the rest of them also when one fails: the dev server may do without."""
        self._flaw = ""
        for step in prepare.steps:
            if step.is_once and step in self._done:
                continue
            self._stands("starting", f"`{step.command}` is running", shows_log=True)
            if failure := await dev_server.prepare(step.command):
                self._flaw = self._flaw or failure
                logger.warning(
                    "preparation failed", extra={"reason": failure, "log": dev_server.last_lines(_LINES_SHOWN)}
                )
            else:
                self._done.add(step)

    async def _follow(self, dev_server: DevServer, plan: DevServerPlan) -> NoReturn:
        """Follow how the dev server is, and restart one that doesn't see by itself what a turn has changed."""
        while True:
            served = await self._source.commit()
            try:
                self._shows(await dev_server.wait_until_ready(), dev_server.flaw)
                self._pages_changed(dev_server)
            except DevServerNotReadyError as error:
                self._stands("failed", str(error), shows_log=True)
            while True:
                await self._until_a_turn_ends(dev_server)
                has_changed = await self._source.has_changed_since(served)
                if has_changed and not plan.reloads:
                    break
                if not has_changed:
                    self._shows_turn(has_changed=False)
                await self._probe(dev_server)
                if has_changed:
                    served = await self._source.commit()
                    self._pages_changed(dev_server)
            logger.info("dev server restarted", extra={"reason": "a turn has changed files"})
            await dev_server.restart()

    async def _until_a_turn_ends(self, dev_server: DevServer) -> None:
        """Follow whether the dev server listens. One that is away for a single look only restarts."""
        missed = 0
        while not await self._has_a_turn_ended():
            missed = 0 if await dev_server.listens() else missed + 1
            if not missed and (self._standing.state != "live" or dev_server.flaw != self._flaw_beside):
                await self._probe(dev_server)
            elif missed > 1 and self._standing.state == "live":
                self._stands("starting", _DOES_NOT_LISTEN, shows_log=True)
            elif self._standing.state == "starting" and dev_server.deaths >= _DEATHS_OF_A_FAILURE:
                self._stands("failed", f"It has ended {dev_server.deaths} times.", shows_log=True)
            elif self._standing.state == "starting" and missed > 1 and dev_server.awaits_a_change:
                # Not failed: while Claude works at it, a change of a file would have everything installed again.
                self._stands("starting", "It has ended, and starts again once a file changes.", shows_log=True)
        self._turn_has_ended.clear()

    async def _has_a_turn_ended(self) -> bool:
        """Return true as soon as one has, or false after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._look_seconds):
                await self._turn_has_ended.wait()
        return self._turn_has_ended.is_set()

    async def _probe(self, dev_server: DevServer) -> None:
        """Look at the page. A dev server that doesn't respond is looked at again when it does, or after a turn."""
        with suppress(NoResponseError):
            self._shows(await dev_server.probe(), dev_server.flaw)

    def _pages_changed(self, dev_server: DevServer) -> None:
        """Have open pages reloaded, unless the dev server does that, or nobody is to."""
        self._page_changes += 1
        is_ours = self._source.wants_reload() and not dev_server.reloads_pages()
        self._revision = self._page_changes if is_ours else None
        self._shows_turn(has_changed=True)

    def _shows_turn(self, *, has_changed: bool) -> None:
        self._turn_has_changed = has_changed
        self._turn_is_shown.set()

    def _shows(self, response: PageResponse, flaw_beside: str) -> None:
        """Stand as live, with what is wrong with the page, or with what runs beside it."""
        self._flaw_beside = flaw_beside
        host_header = self._source.host_header(response.name)
        # Whom visitors call by the public name may well refuse the local one.
        is_right = host_header == "public" and response.status == HTTPStatus.BAD_REQUEST
        objections = [text for text in ("" if is_right else response.objection, self._flaw, flaw_beside) if text]
        self._stands("live", "; ".join(objections))
        self._host_header = host_header

    async def _until_again(self) -> None:
        """Return once another attempt may come to something else."""
        tried = before = None
        while not self._again.is_set():
            if self._standing.state in _WORTH_ANOTHER_TRY:
                now = self._source.fingerprint()
                if tried is not None and now == before != tried:  # changed, and not changing at this moment
                    logger.info("preview tried again", extra={"reason": "files have changed"})
                    return
                tried, before = (now if tried is None else tried), now
            else:
                tried = None
            await asyncio.sleep(self._look_seconds)

    def _is_another_plan(self) -> bool:
        try:
            return self._source.plan() != self._plan
        except (RepositoryConfigError, DevServerNotConfiguredError):  # what runs goes on
            return False

    def _stands(self, state: PreviewState, detail: str = "", *, shows_log: bool = False) -> None:
        standing = _Standing(state, detail, shows_log)
        if standing != self._standing:
            self._standing = standing
            logger.info("preview", extra={"state": state, "detail": detail})


async def _first_of(*coroutines: Awaitable[object]) -> None:
    """Run all until one ends or fails, and end the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
