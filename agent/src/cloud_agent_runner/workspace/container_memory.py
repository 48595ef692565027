"""How much memory the container has left before the kernel ends processes.

Three can limit it: the container's cgroup (version 1 or 2), Fargate for the task ("Amazon ECS: Task metadata endpoint
version 4", `Limits`), and the machine.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import httpx

from cloud_agent_runner.task_metadata import task_metadata

logger = logging.getLogger(__name__)

_MIB = 1024**2
_LOW_SHARE = 0.05
_LOW_BYTES = 150 * _MIB
# A Fargate task's machine is its own and hardly larger; on a larger one, what is available is for others, too.
_OWN_MACHINE = 1.5


@dataclass(frozen=True)
class Memory:
    """Bytes: what the tightest limit allows, and what is left of it."""

    limit: int
    left: int

    @property
    def spare(self) -> int:
        """What can be used until 5 %, or 150 MB if that's more, are left."""
        return self.left - max(_LOW_BYTES, int(self.limit * _LOW_SHARE))

    @property
    def is_low(self) -> bool:
        """Whether less than 5 % or 150 MB are left."""
        return self.spare < 0


@dataclass(frozen=True)
class _Files:
    """One version's names of what a cgroup says of its memory."""

    limit: str
    usage: str
    inactive_file: str
    kills: str


_VERSIONS = (
    _Files("memory.max", "memory.current", "inactive_file", "memory.events"),
    _Files(
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "total_inactive_file",
        "memory/memory.oom_control",
    ),
)


class ContainerMemory:
    """Reads the container's memory. `task_limit` is the task's in bytes, where one is known."""

    def __init__(
        self, task_limit: int | None, *, cgroup: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")
    ) -> None:
        self._task_limit = task_limit
        self._cgroup = cgroup
        self._meminfo = proc / "meminfo"
        self._files = next((files for files in _VERSIONS if (cgroup / files.usage).exists()), None)

    def read(self) -> Memory:
        """Return the tightest of the limits and what is left of it.

        Cached files that nobody has used lately don't count as used: the kernel gives them up first.
        """
        machine = _numbers(self._meminfo)
        total, available = machine["MemTotal:"] * 1024, machine["MemAvailable:"] * 1024
        limit = min([total, *self._limits()])
        left = limit - self._working_set() if self._files else available
        return Memory(limit, min(left, available) if total < limit * _OWN_MACHINE else left)

    def kills(self) -> int:
        """Return how many of the container's processes the kernel has killed for want of memory."""
        return _numbers(self._cgroup / self._files.kills).get("oom_kill", 0) if self._files else 0

    def _limits(self) -> list[int]:
        limits = [self._task_limit] if self._task_limit else []
        # At the root of a machine's cgroups, version 2 has no such file; "max" is no limit.
        if self._files and (file := self._cgroup / self._files.limit).exists():
            limits += [int(text) for text in file.read_text(encoding="ascii").split() if text.isdecimal()]
        return limits

    def _working_set(self) -> int:
        assert self._files  # noqa: S101 - for the type checker: read() has looked
        usage = self._cgroup / self._files.usage
        cached = _numbers(usage.with_name("memory.stat")).get(self._files.inactive_file, 0)
        return int(usage.read_text(encoding="ascii")) - cached


async def task_memory(metadata_uri: str | None) -> int | None:
    """Return the task's memory limit in bytes, as Fargate says; None where nothing says one."""
    if metadata_uri is None:
        return None
    try:
        task = await task_metadata(f"{metadata_uri}/task")
    except httpx.HTTPError as error:
        logger.warning("task's memory limit unknown", extra={"reason": str(error)})
        return None
    limit = task.get("Limits", {}).get("Memory")
    return limit * _MIB if limit else None


def _numbers(file: Path) -> dict[str, int]:
    """Return the numbers of a file with a name and a number on each line."""
    lines = (line.split() for line in file.read_text(encoding="ascii").splitlines())
    return {line[0]: int(line[1]) for line in lines if len(line) > 1}
