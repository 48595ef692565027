"""How many processes and threads run in the container: a number that the kernel keeps, and nobody has to count."""

from __future__ import annotations

from pathlib import Path

# A container's cgroup, version 2 and version 1 ("Linux kernel: Process Number Controller").
_CGROUPS = (Path("/sys/fs/cgroup/pids.current"), Path("/sys/fs/cgroup/pids/pids.current"))
_LOAD = Path("/proc/loadavg")  # man 5 proc_loadavg


def running_processes() -> int:
    """Return the container's, where a cgroup counts them; else the machine's, which on Fargate is the task's own."""
    for cgroup in _CGROUPS:
        if cgroup.exists():
            return int(cgroup.read_text(encoding="ascii"))
    return int(_LOAD.read_text(encoding="ascii").split()[3].rpartition("/")[2])
