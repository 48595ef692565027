from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import PIPE

from local_github import smart_http


async def test_git_is_gone_once_its_client_has_gone_away() -> None:
    process = await asyncio.create_subprocess_exec("yes", stdout=PIPE)
    content = smart_http._drain(process)  # noqa: SLF001 - what a response that is cut off closes
    assert await anext(content)
    await content.aclose()
    assert process.returncode == -signal.SIGKILL
