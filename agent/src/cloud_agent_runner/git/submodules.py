"""Submodules, fetched without a credential: a session's token is for its own repository alone.

The workspace's user fetches them, over HTTPS and nothing else. One on GitHub may have a relative address, or one for
SSH: then its address for HTTPS counts. Submodules of submodules aren't fetched.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from cloud_agent_runner.git.command import GitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.tree_files import TreeFile
    from cloud_agent_runner.git.work_tree import WorkTree

logger = logging.getLogger(__name__)

_LIMIT = 20
_SECONDS = 600
_SETTINGS = r"^submodule\..*\.(path|url)$"
_SSH = re.compile(r"(?:ssh://)?git@(?P<host>[^:/]+)(?::\d+/|[:/])(?P<path>.+)")


@dataclass(frozen=True)
class _Submodule:
    """What .gitmodules says of a path: its name there, and where to fetch it from."""

    name: str
    address: str


class Submodules:
    """The submodules of one work tree, whose repository is at `url`."""

    def __init__(self, url: str, history: History, tree: WorkTree) -> None:
        self._url = url
        self._history = history
        self._tree = tree
        self._tried: dict[str, str] = {}

    async def fetch(self, head: str, files: Sequence[TreeFile]) -> list[str]:
        """Check out the submodules among `head`'s `files`; return the paths of those that can't be had.

        Twenty are fetched, each once for each commit it's at, within ten minutes.
        """
        commits = {file.path: file.sha for file in files if file.is_submodule}
        if not commits:
            return []
        known = await self._known(head)
        new = [path for path in commits if path in known and self._tried.get(path) != commits[path]]
        try:
            async with asyncio.timeout(_SECONDS):
                for path in new[:_LIMIT]:
                    self._tried[path] = commits[path]
                    await self._check_out(path, known[path])
        except TimeoutError:
            logger.warning("submodules not fetched in time")
        return [path for path in commits if not (self._tree.path / path / ".git").exists()]

    async def _known(self, head: str) -> dict[str, _Submodule]:
        """Return the submodules of .gitmodules that may be fetched, by path: text that is only read."""
        try:
            listing = await self._history.git(
                "config", "--blob", f"{head}:.gitmodules", "-z", "--get-regexp", _SETTINGS
            )
        except GitError:  # that's how git says that it found nothing, too
            return {}
        settings = dict(entry.split("\n", 1) for entry in listing.split("\0") if "\n" in entry)
        names = {value: key.removesuffix(".path") for key, value in settings.items() if key.endswith(".path")}
        addresses = {path: address_of(settings.get(f"{name}.url", ""), self._url) for path, name in names.items()}
        return {path: _Submodule(names[path], address) for path, address in addresses.items() if address}

    async def _check_out(self, path: str, submodule: _Submodule) -> None:
        scheme = urlsplit(submodule.address).scheme
        allowed = [f"protocol.{name}=never" for name in ("allow", "file.allow", "ext.allow")]
        options = [word for setting in (*allowed, f"protocol.{scheme}.allow=always") for word in ("-c", setting)]
        update = ("submodule", "--quiet", "update", "--init", "--checkout", "--depth=1")
        try:
            await self._tree.git("config", f"{submodule.name}.url", submodule.address)
            await self._tree.git(*options, *update, "--", path)
        except GitError as error:
            logger.warning("submodule not fetched", extra={"reason": str(error)})


def address_of(url: str, repository: str) -> str:
    """Return from where to fetch a submodule of `repository`, by HTTPS or as GitHub is reached; empty if by neither."""
    github = urlsplit(repository)
    if url.startswith(("./", "../")):
        url = urljoin(f"{repository.removesuffix('/')}/", url)
    elif (ssh := _SSH.fullmatch(url)) and ssh["host"] == github.hostname:
        url = f"{github.scheme}://{github.netloc}/{ssh['path']}"
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are no IPv6 address
        return ""
    if not parts.hostname or "@" in parts.netloc:
        return ""
    is_on_github = (parts.scheme, parts.netloc) == (github.scheme, github.netloc)
    return url if parts.scheme == "https" or (is_on_github and parts.scheme == "http") else ""
