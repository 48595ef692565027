"""The HAProxy process: started, listened to, ended. Its access log goes to our stdout without us."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import resource
import signal
import sys
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Self, cast

from cloud_agent_proxy.runtime_api import VISITS_REMEMBERED

if TYPE_CHECKING:
    from ipaddress import IPv4Address
    from pathlib import Path

    from cloud_agent_proxy.settings import Settings

logger = logging.getLogger(__name__)

LISTEN_PORT = 8080
_MOST_CONNECTIONS = 10_000
_SPARE_FILES = 200  # listeners, sockets to the control plane, Lua
_PR_SET_PDEATHSIG = 1


class Haproxy:
    """A running HAProxy whose private folder is the working directory of this process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._relay = asyncio.create_task(_relay_messages(cast("asyncio.StreamReader", process.stderr)))  # it is a pipe

    @classmethod
    async def start(cls, program: Path, assets: Path, settings: Settings, address: IPv4Address) -> Self:
        """Start `program` with `assets`/haproxy.cfg on `address`; it ends with this process, however that ends.

        Raises:
            OSError: `program` cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            program,
            *("-db", "-f", assets / "haproxy.cfg"),
            env=_environment(assets, settings, address),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=partial(_die_with, os.getpid()) if sys.platform == "linux" else None,
        )
        logger.info("haproxy started", extra={"pid": process.pid, "address": f"{address}:{LISTEN_PORT}"})
        return cls(process)

    async def ended(self) -> int:
        """Wait for the end of the process and of what it says; return its exit code."""
        code = await self._process.wait()
        await self._relay
        return code

    async def stop(self) -> None:
        """End the process now, if it has not ended, with every connection it has."""
        if self._process.returncode is None:
            self._process.kill()
        await self.ended()


def _environment(assets: Path, settings: Settings, address: IPv4Address) -> dict[str, str]:
    """Return all that haproxy.cfg and its Lua are told; no credential of the task is among it."""
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    affordable = (most_files - _SPARE_FILES) // 2  # a visitor's connection and one to the dev server
    connections = _MOST_CONNECTIONS if most_files == resource.RLIM_INFINITY else min(_MOST_CONNECTIONS, affordable)
    return {
        "PROXY_FOLDER": str(assets),
        "PROXY_LISTEN": f"{address}:{LISTEN_PORT}",
        "PROXY_MAXCONN": str(connections),
        "PROXY_VISITS_REMEMBERED_MS": str(VISITS_REMEMBERED // timedelta(milliseconds=1)),
        "UAT_DOMAIN": settings.uat_domain,
        "UAT_DOMAIN_PATTERN": settings.uat_domain.replace(".", r"\."),
        "UAT_ACCESS": settings.uat_access,
        "AGENT_CIDR": str(settings.agent_cidr),
        # Huge pages, where the kernel gives them to who asks: a look-up among 100,000 sessions follows some twenty
        # pointers, each into another page, and the processor remembers where few of the small ones are.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # the wheel's
        "MALLOC_CONF": "thp:always",  # the image's, which Debian links with jemalloc
    }


def _die_with(parent: int) -> None:
    """Have the kernel end HAProxy when the control plane is gone, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it went before the kernel was told
        os._exit(1)


async def _relay_messages(lines: asyncio.StreamReader) -> None:
    async for line in lines:
        level = logging.INFO if line.startswith(b"[NOTICE]") else logging.WARNING
        logger.log(level, "haproxy says", extra={"text": line.decode(errors="replace").rstrip()})
