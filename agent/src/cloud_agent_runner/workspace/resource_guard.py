"""Ends what uses up the container's memory, disk or processes before it ends the session, or stops the others."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cloud_agent_runner.claude import PROGRAM
from cloud_agent_runner.workspace.container_processes import running_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_agent_runner.notices import Notices
    from cloud_agent_runner.workspace.container_memory import ContainerMemory, Memory
    from cloud_agent_runner.workspace.disk_space import DiskSpace
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_GIB = 1024**3
_LESS_MEMORY = (
    "Comment to continue with something that needs less memory, or ask whoever runs the deployment to raise "
    "`AgentMemory`."
)
# Of all commands together, threads included: fewer than the lowest of `Processes`, so that this is seen of all that
# have used up theirs.
_MOST_PROCESSES = 1300
_FEWER_PROCESSES = "Comment to continue with something that starts fewer."
_LESS_DISK = (
    "Comment to have Claude delete files that aren't needed, or start a new session, which starts with an empty disk."
)


class ResourceGuard:
    """Looks once a second, and ends one command, with all it has started, when memory, disk or processes run out.

    That's the command that uses most of the memory or has most of the processes; for disk the running turn, else the
    dev server. The supervisor and the other commands live on, and a turn's result says what was ended and why. `note`
    adds a line to the log of what isn't a turn.
    """

    def __init__(
        self,
        user: WorkspaceUser,
        memory: ContainerMemory,
        disks: Sequence[DiskSpace],
        notices: Notices,
        *,
        note: Callable[[str], None],
    ) -> None:
        self._user = user
        self._memory = memory
        self._disks = disks
        self._note = note
        self._notices = notices
        self._kills = memory.kills()

    async def watch(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Look once, and end a command if that is needed."""
        await self._look_at_processes()
        memory = self._memory.read()
        self._note_kills(memory)
        if memory.is_low and (used := self._user.memory_used()):
            largest = max(used, key=lambda name: used[name])
            await self._end(largest, f"the container ran out of memory ({_limit(memory)})", _LESS_MEMORY)
        for disk in self._disks:
            if disk.runs_out() and (used := self._user.memory_used()):
                writer = PROGRAM if PROGRAM in used else next(iter(used))
                left = f"{disk.left() // 1_000_000} MB left"
                await self._end(writer, f"the container is running out of disk space ({left})", _LESS_DISK)

    async def _look_at_processes(self) -> None:
        if running_processes() <= _MOST_PROCESSES:
            return
        with self._user.stopped():
            used = self._user.processes_used()
            if sum(used.values()) > _MOST_PROCESSES:
                largest = max(used, key=lambda name: used[name])
                reason = f"it ran {used[largest]:,} processes and threads, and {_MOST_PROCESSES:,} is the most"
                await self._end(largest, reason, _FEWER_PROCESSES, politely=False)

    def _note_kills(self, memory: Memory) -> None:
        """Say so where the kernel was faster: it picks a single process, and Claude usually goes on."""
        kills_before, self._kills = self._kills, self._memory.kills()
        if self._kills > kills_before:
            logger.warning("processes killed for want of memory", extra={"count": self._kills - kills_before})
            reason = f"The container ran out of memory ({_limit(memory)})"
            self._notices.add(f"{reason}, so the kernel killed a process. Something that needs less memory may work.")

    async def _end(self, name: str, reason: str, advice: str, *, politely: bool = True) -> None:
        logger.warning("command ended", extra={"program": name, "reason": reason})
        if name == PROGRAM:
            self._notices.turn_stopped(f"Stopped: {reason}. {advice}")
        else:
            self._note(f"(Stopped: {reason}.)")
            self._notices.add(f"The {name} was stopped: {reason}.")
        await self._user.end(name, politely=politely)


def _limit(memory: Memory) -> str:
    size = f"{memory.limit / _GIB:.1f}".removesuffix(".0")
    return f"{size} GB; the deployment's `AgentMemory`"
