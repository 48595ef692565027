"""One repository, started as the agent starts it, edited as Claude would, and watched in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr

from cloud_agent_runner.agent_api import AgentApi, PreviewReport
from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.preview.preview import Preview
from cloud_agent_runner.preview.services.services import Services
from cloud_agent_runner.preview.source import PreviewSource
from cloud_agent_runner.repository.config import RepositoryConfig
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PORT = 3000
_UP_SECONDS = 600
_SOURCES = re.compile(r"\.(?:html?|jsx?|tsx?|vue|svelte|astro|mdx?|py|rb|php|erb|ejs|pug|hbs|njk|jinja2?)$")
_NOT_SHOWN = re.compile(
    r"(?:^|/)(?:README|CONTRIBUTING|CHANGELOG)[^/]*$|(?:^|/)(?:tests?|__tests__|e2e|cypress)/", re.IGNORECASE
)
_SHORTEST_PHRASE = 5
_FEWEST_WORDS = 2
MARK = "(edited)"


@dataclass
class Trial:
    """A repository that is tried: where it is, and how its preview is."""

    work_tree: Path
    preview: Preview

    def commit(self) -> None:
        """Commit all, as each turn ends."""
        git(self.work_tree, "add", "--all")
        git(self.work_tree, "commit", "--quiet", "--allow-empty", "--message", "A turn")
        self.preview.turn_ended()

    def edit(self, shown: str) -> bool:
        """Put a mark behind a phrase of the page, in the sources that hold it; return whether there are any.

        More than one may: the packages of a workspace are often made alike, and only one of them is on the page.
        """
        for phrase in _phrases(shown):
            names = git(self.work_tree, "grep", "-liF", "-e", phrase).splitlines()
            files = [self.work_tree / name for name in names if _SOURCES.search(name) and not _NOT_SHOWN.search(name)]
            sources = [file for file in files if file.is_file() and not file.is_symlink()]
            for file in sources:
                text = file.read_text(encoding="utf-8")
                # Not within a name or an expression: a short phrase may be a word of the program, too.
                whole = rf"(?<![\w./-]){re.escape(phrase)}(?!\.?\w|[(/-])"
                marked = re.sub(whole, lambda found: f"{found[0]} {MARK}", text, flags=re.IGNORECASE)
                file.write_text(marked, encoding="utf-8")
            if sources:
                return True
        return False


def _phrases(shown: str) -> list[str]:
    """Return the lines of a page, then parts of them, the longest first: markup may stand within a line."""
    lines = {line.strip() for line in shown.splitlines()}
    parts = {
        " ".join(words[start:end])
        for words in (line.split() for line in lines)
        for start in range(len(words))
        for end in range(start + _FEWEST_WORDS, len(words))
    }
    return [
        phrase
        for some in (lines, parts)
        for phrase in sorted(some, key=lambda phrase: (-len(phrase), phrase))
        if len(phrase) >= _SHORTEST_PHRASE
    ]


def git(folder: Path, *arguments: str) -> str:
    """Run git in the repository; return what it writes, whether it succeeds or not."""
    who = ("-c", "user.name=Claude", "-c", "user.email=noreply@anthropic.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", folder, *who, *arguments], capture_output=True, text=True, check=False)
    return done.stdout


@contextlib.asynccontextmanager
async def running(home: Path, work_tree: Path, address: str, uat_domain: str) -> AsyncIterator[Trial]:
    """Install and serve the repository at `address`, port 3000, until the context ends."""
    git(work_tree, "init", "--quiet")
    git(work_tree, "add", "--all")
    git(work_tree, "commit", "--quiet", "--message", "As it was")
    user, here = WorkspaceUser(home, None), ListenAddress(address, address, PORT, uat_domain)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"values": {}}))
    api = AgentApi("http://api.invalid", SecretStr("none"), SecretStr("none"), transport=transport)
    services = Services(user, address)
    source = PreviewSource(
        work_tree, user, here, services, api, otherwise=RepositoryConfig(), notices=Notices(), installed=_installed
    )
    preview = Preview(source)
    kept: asyncio.Task[Any] = asyncio.create_task(preview.run())
    try:
        yield Trial(work_tree, preview)
    finally:
        kept.cancel()
        await asyncio.gather(kept, return_exceptions=True)
        await services.aclose()
        await api.aclose()


async def settled(preview: Preview) -> PreviewReport:
    """Return how the preview is once it is no longer starting."""
    deadline = time.monotonic() + _UP_SECONDS
    while preview.report.state == "starting" and time.monotonic() < deadline:  # noqa: ASYNC110 - it is looked at, as people do
        await asyncio.sleep(0.2)
    return preview.report


async def _installed() -> None:
    return None
