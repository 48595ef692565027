"""One repository, started as the agent starts it, edited as Claude would, and watched in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.preview.preview import Preview
from cloud_agent_runner.preview.services.services import Services
from cloud_agent_runner.preview.source import PreviewSource
from cloud_agent_runner.repository.config_file import OtherSettings
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cloud_agent_runner.agent_api_messages import PreviewReport

PORT = 3000
_SOURCES = re.compile(
    r"\.(?:html?|jsx?|tsx?|vue|svelte|astro|mdx?|py|rb|php|erb|ejs|pug|hbs|njk|jinja2?)$"
    r"|(?:^|/)(?:locales?|i18n|lang|messages)/[^/]+\.json$"
)
_NOT_SHOWN = re.compile(
    r"(?:^|/)(?:README|CONTRIBUTING|CHANGELOG)[^/]*$|(?:^|/)(?:tests?|__tests__|e2e|cypress)/", re.IGNORECASE
)
# Where a page begins: the file, and the element.
_ENTRIES = tuple(f"*{name}" for name in ("App.vue", "app.vue", "App.jsx", "App.tsx", "index.html"))
_ELEMENT = re.compile(r"<(?:body|main|div)\b[^>]*>")
_SHORTEST_PHRASE = 5
_FEWEST_WORDS = 2
_SOMEBODY = "daemon"
MARK = "(edited)"


@dataclass
class Trial:
    """A repository that is tried: where it is, and how its preview is."""

    work_tree: Path
    user: WorkspaceUser
    preview: Preview

    def commit(self) -> None:
        """Commit all, as each turn ends."""
        git(self.user, self.work_tree, "add", "--all")
        git(self.user, self.work_tree, "commit", "--quiet", "--allow-empty", "--message", "A turn")
        self.preview.turn_ended()

    def edit(self, shown: str) -> bool:
        """Put a mark behind a phrase of the page, in the sources that hold it; return whether there are any.

        More than one may: the packages of a workspace are often made alike, and only one of them is on the page.
        """
        for phrase in _phrases(shown):
            names = git(self.user, self.work_tree, "grep", "-liF", "-e", phrase).splitlines()
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

    def edit_entry(self) -> bool:
        """Put the mark into the page's outermost element; return whether a file has one.

        A generator's first page may be a component of a package, of which no word is in the repository.
        """
        for name in sorted(git(self.user, self.work_tree, "ls-files", *_ENTRIES).splitlines(), key=len):
            file = self.work_tree / name
            marked, found = _ELEMENT.subn(lambda tag: f"{tag[0]} {MARK}", file.read_text(encoding="utf-8"), count=1)
            if found:
                file.write_text(marked, encoding="utf-8")
                return True
        return False


def _phrases(shown: str) -> list[str]:
    """Return the lines of a page, then parts of them, the longest first: markup may stand within a line.

    Quotes around a line may be those of a JSON response: what is put behind them isn't text any more.
    """
    lines = {line.strip().strip("\"'").strip() for line in shown.splitlines()}
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


def git(user: WorkspaceUser, folder: Path, *arguments: str) -> str:
    """Run git in the repository as its user; return what it writes, whether it succeeds or not."""
    who = ("-c", "user.name=Claude", "-c", "user.email=noreply@anthropic.com", "-c", "commit.gpgsign=false")
    command = user.command("git", "git", "-C", str(folder), *who, *arguments, directory=user.home)
    return subprocess.run(command, env=user.environment(), capture_output=True, text=True, check=False).stdout


def workspace_user(home: Path, *folders: Path) -> WorkspaceUser:
    """Return the user with that home whose commands run as in the image: as somebody else, if this is root.

    PostgreSQL, Composer and others refuse root. The home and the `folders` become this user's.
    """
    if os.getuid() != 0:
        return WorkspaceUser(home, None)
    somebody = pwd.getpwnam(_SOMEBODY)
    owner = f"{somebody.pw_uid}:{somebody.pw_gid}"
    subprocess.run(["chown", "--recursive", "--no-dereference", owner, home, *folders], check=True)
    return WorkspaceUser(home, owner)


@contextlib.asynccontextmanager
async def running(home: Path, work_tree: Path, address: str, uat_domain: str) -> AsyncIterator[Trial]:
    """Install and serve the repository at `address`, port 3000, until the context ends."""
    user, here = workspace_user(home, work_tree), ListenAddress(address, address, PORT, uat_domain)
    git(user, work_tree, "init", "--quiet")
    git(user, work_tree, "add", "--all")
    git(user, work_tree, "commit", "--quiet", "--message", "As it was")
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"values": {}}))
    api = AgentApi("http://api.invalid", SecretStr("none"), SecretStr("none"), transport=transport)
    services = Services(user, "127.0.0.1")  # where they are in a container, for which many a repository is written
    source = PreviewSource(
        work_tree, user, here, services, api, otherwise=OtherSettings(), notices=Notices(), installed=_installed
    )
    preview = Preview(source)
    kept: asyncio.Task[Any] = asyncio.create_task(preview.run())
    try:
        yield Trial(work_tree, user, preview)
    finally:
        kept.cancel()
        await asyncio.gather(kept, return_exceptions=True)
        await services.aclose()
        await api.aclose()


async def settled(preview: Preview, limit_seconds: float) -> PreviewReport:
    """Return how the preview is once it is no longer starting, or else after `limit_seconds`."""
    deadline = time.monotonic() + limit_seconds
    while preview.report.state == "starting" and time.monotonic() < deadline:  # noqa: ASYNC110 - it is looked at, as people do
        await asyncio.sleep(0.2)
    return preview.report


async def _installed() -> None:
    return None
