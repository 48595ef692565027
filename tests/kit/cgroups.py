"""Folders with what the kernel writes about memory into /sys/fs/cgroup and /proc."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024**2
GIB = 1024**3
_NO_LIMIT_IN_V1 = 9223372036854771712


def cgroup_v2(folder: Path, *, limit: int | None, used: int, inactive_file: int = 0, kills: int = 0) -> Path:
    """Make `folder` a container's own cgroup of version 2."""
    folder.mkdir(exist_ok=True)
    (folder / "memory.max").write_text(f"{limit or 'max'}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {inactive_file}\n")
    (folder / "memory.events").write_text(f"low 0\noom {kills}\noom_kill {kills}\n")
    return folder


def cgroup_v1(folder: Path, *, limit: int | None, used: int, inactive_file: int = 0, kills: int = 0) -> Path:
    """Make `folder` a container's own cgroups of version 1."""
    memory = folder / "memory"
    memory.mkdir(parents=True, exist_ok=True)
    (memory / "memory.limit_in_bytes").write_text(f"{limit or _NO_LIMIT_IN_V1}\n")
    (memory / "memory.usage_in_bytes").write_text(f"{used}\n")
    (memory / "memory.stat").write_text(f"inactive_file 1\ntotal_inactive_file {inactive_file}\n")
    (memory / "memory.oom_control").write_text(f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n")
    return folder


def machine(proc: Path, total: int = 64 * GIB, *, available: int = 32 * GIB) -> Path:
    """Make `proc` a machine's /proc."""
    proc.mkdir(exist_ok=True)
    lines = (f"MemTotal: {total // 1024} kB", "MemFree: 1 kB", f"MemAvailable: {available // 1024} kB")
    (proc / "meminfo").write_text("\n".join(lines))
    return proc
