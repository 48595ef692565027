"""Running git beside a work tree that somebody else controls.

Nothing that Claude or the repository's own code can write - a hook, a configuration file in the home
directory, a credential helper, a file system monitor - is run or obeyed by a git command started here.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.network_environment import network_environment

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.agent_api import GitToken

# Found once, before any code of the repository has run: PATH is trusted then.
_GIT = shutil.which("git") or "git"
_TIMEOUT_SECONDS = 300
_ENFORCED = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "credential.helper": "",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "protocol.ext.allow": "never",
    "protocol.file.allow": "always",
    "advice.detachedHead": "false",
}


class GitError(AgentError):
    """A git command failed; the text holds its output."""


async def git(*arguments: str, at: Path, token: GitToken | None = None, url: str = "") -> str:
    """Run git at a directory and return what it printed, without the last newline.

    With `token`, requests to `url` (and to no other host) carry it. It travels in the environment of this one
    process: never in an argument, an address or a file.

    Raises:
        GitError: git failed, or took longer than five minutes.
    """
    options = [word for name, value in _ENFORCED.items() for word in ("-c", f"{name}={value}")]
    process = await asyncio.create_subprocess_exec(
        _GIT,
        *options,
        "-C",
        str(at),
        *arguments,
        env=_environment(token, url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            printed, complaint = await process.communicate()
    except TimeoutError:
        raise GitError(f"git {arguments[0]} took longer than {_TIMEOUT_SECONDS} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        output = (complaint or printed).decode(errors="replace").strip()
        raise GitError(f"git {arguments[0]} failed: {output[-2000:]}")
    return printed.decode(errors="replace").removesuffix("\n")


def _environment(token: GitToken | None, url: str) -> dict[str, str]:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        # The home directory is the model's to write; git and curl would read .gitconfig and .netrc there.
        "HOME": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ATTR_NOSYSTEM": "1",
        **network_environment(os.environ),
    }
    if token is not None:
        pair = f"{token.username}:{token.token.get_secret_value()}".encode()
        environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {base64.b64encode(pair).decode()}",
        }
    return environment
