"""Submodules, fetched without a credential: a session's token is for its own repository alone (ADR-034).

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
from cloud_agent_runner.git.left_out import WhyNot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.tree_files import TreeFile
    from cloud_agent_runner.git.work_tree import WorkTree

logger = logging.getLogger(__name__)

_LIMIT = 20
_SECONDS = 600
_GITLINK = "160000"
_SETTINGS = r"^submodule\..*\.(path|url)$"
# How Git says that it was asked for a name and password, and that a server has no such commit.
_SIGN_IN = re.compile(
    r"could not read Username|Authentication failed|terminal prompts disabled|not found|returned error: 40[134]"
)
_NO_COMMIT = re.compile(r"not our ref|did not contain|unadvertised object|Unable to find current revision")
_SSH = re.compile(r"(?:ssh://)?git@(?P<host>[^:/]+)(?::\d+/|[:/])(?P<path>.+)")


@dataclass(frozen=True)
class _Submodule:
    """What .gitmodules says of a path: its name there, and where to fetch it from; empty if it can't be fetched."""

    name: str
    address: str


class Submodules:
    """The submodules of one work tree, whose repository is at `url`."""

    def __init__(self, url: str, history: History, tree: WorkTree) -> None:
        self._url = url
        self._history = history
        self._tree = tree
        self._tried: dict[str, str] = {}
        self._failed: dict[str, WhyNot] = {}

    async def fetch(self, head: str, files: Sequence[TreeFile]) -> dict[str, WhyNot]:
        """Check out the submodules among `head`'s `files`; return the paths of those that can't be had, and why not.

        Twenty are fetched, each once for each commit it's at, within ten minutes.
        """
        commits = {file.path: file.sha for file in files if file.is_submodule}
        if not commits:
            return {}
        known = await self._known(head)
        new = [
            path for path in commits if path in known and known[path].address and self._tried.get(path) != commits[path]
        ]
        try:
            async with asyncio.timeout(_SECONDS):
                for path in new[:_LIMIT]:
                    self._tried[path] = commits[path]
                    await self._check_out(path, known[path])
        except TimeoutError:
            logger.warning("submodules not fetched in time")
        missing = [path for path in commits if not self._is_here(path)]
        return {path: self._why_not(path, known.get(path)) for path in missing}

    def _is_here(self, path: str) -> bool:
        """Whether its commit is checked out; one that its repository doesn't have leaves a clone of nothing."""
        return (self._tree.path / path / ".git").exists() and self._failed.get(path) != WhyNot.NO_COMMIT

    def _why_not(self, path: str, submodule: _Submodule | None) -> WhyNot:
        if submodule is None:
            return WhyNot.UNNAMED
        if not submodule.address:
            return WhyNot.ADDRESS
        return self._failed.get(path, WhyNot.TOO_LATE)

    async def lost(self, head: str, *published: str) -> list[str]:
        """Return the paths at which `head`, and none of `published`, has a commit that nobody else could fetch.

        Either it's of a repository that .gitmodules doesn't name, or it was made in a submodule here and its own remote
        doesn't have it. What isn't here is taken for what whoever chose it has seen there.

        Raises:
            GitError: git failed.
        """
        new = set.intersection(*[await self._commits_since(commit, head) for commit in published])
        known = await self._known(head) if new else {}
        return [path for path, commit in sorted(new) if not await self._can_be_had(path, commit, known.get(path))]

    async def _commits_since(self, base: str, head: str) -> set[tuple[str, str]]:
        """Return path and commit of each submodule that `head` has otherwise than `base`."""
        words = (await self._history.git("diff-tree", "-r", "-z", "--no-renames", base, head)).split("\0")
        entries = zip(words[1::2], (about.split(" ") for about in words[::2]), strict=False)
        return {(path, about[3]) for path, about in entries if about[1] == _GITLINK}

    async def _can_be_had(self, path: str, commit: str, submodule: _Submodule | None) -> bool:
        if submodule is None:
            return False
        repository = f"--git-dir={path}/.git"  # from the folder alone, Git goes on to the repository around it
        try:
            own = await self._tree.git(repository, "rev-list", "--max-count=1", commit, "--not", "--remotes")
        except GitError:  # it isn't here
            return True
        return not own or (submodule.address != "" and await self._has(submodule.address, commit))

    async def _has(self, address: str, commit: str) -> bool:
        """Ask the remote for it, from a repository that has nothing: where it is, Git wouldn't ask."""
        empty = str(self._tree.path / ".git" / "probe.git")
        try:
            await self._tree.git("init", "--quiet", "--bare", "--template=", empty)
            await self._tree.git("-C", empty, *_over(address), "fetch", "--quiet", "--depth=1", address, commit)
        except GitError as error:
            logger.info("submodule's commit not found", extra={"reason": str(error)})
            return False
        finally:
            await self._tree.run("/bin/rm", "-rf", empty, about="directory: probe.git")
        return True

    async def _known(self, head: str) -> dict[str, _Submodule]:
        """Return the submodules of .gitmodules, by path: text that is only read."""
        try:
            listing = await self._history.git(
                "config", "--blob", f"{head}:.gitmodules", "-z", "--get-regexp", _SETTINGS
            )
        except GitError:  # that's how git says that it found nothing, too
            return {}
        settings = dict(entry.split("\n", 1) for entry in listing.split("\0") if "\n" in entry)
        names = {value: key.removesuffix(".path") for key, value in settings.items() if key.endswith(".path")}
        addresses = {path: address_of(settings.get(f"{name}.url", ""), self._url) for path, name in names.items()}
        return {path: _Submodule(names[path], address) for path, address in addresses.items()}

    async def _check_out(self, path: str, submodule: _Submodule) -> None:
        self._failed.pop(path, None)
        update = ("submodule", "--quiet", "update", "--init", "--checkout", "--depth=1")
        try:
            await self._tree.git("config", f"{submodule.name}.url", submodule.address)
            await self._tree.git(*_over(submodule.address), *update, "--", path)
        except GitError as error:
            self._failed[path] = _reason(str(error))
            logger.warning("submodule not fetched", extra={"reason": str(error)})


def _reason(output: str) -> WhyNot:
    """Return why Git failed, by what it printed."""
    if _NO_COMMIT.search(output):
        return WhyNot.NO_COMMIT
    return WhyNot.SIGN_IN if _SIGN_IN.search(output) else WhyNot.UNREACHABLE


def _over(address: str) -> list[str]:
    """Return the options by which Git uses the protocol of this address, and no other."""
    scheme = urlsplit(address).scheme
    allowed = [f"protocol.{name}=never" for name in ("allow", "file.allow", "ext.allow")]
    return [word for setting in (*allowed, f"protocol.{scheme}.allow=always") for word in ("-c", setting)]


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
