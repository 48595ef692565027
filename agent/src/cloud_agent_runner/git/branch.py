"""The session's branch on GitHub, and what it's for, and the tags beside it: all that goes over the network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.git.command import GIT_SECONDS, GitError, git
from cloud_agent_runner.git.github_faults import waited_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent_runner.agent_api_messages import GitToken
    from cloud_agent_runner.git.history import History

# How long a fault of GitHub is waited out. The Agent API hears heartbeats meanwhile.
_PATIENCE_SECONDS = 300
# What a session begins with. Claude reads that much of `git log`, and rarely more.
_LATEST_COMMITS = 50
# The rest may take as long as a token is good for ("GitHub REST API: Create an installation access token").
_OLDER_SECONDS = 3600
_HEAD = "refs/session/remote"
_DEFAULT = "refs/session/default"
_BASE = "refs/session/base"
_MISSING = "couldn't find remote ref refs/heads/"
# Somebody else moved the branch meanwhile: git finds that before the push, GitHub during it.
_MOVED = re.compile(r"! \[rejected\]|cannot lock ref|failed to update ref")
_REFUSED = re.compile(r"! \[remote rejected\]")


class BranchMovedError(AgentError):
    """The branch on GitHub isn't at the commit that a push was to replace."""


class BranchDeletedError(AgentError):
    """The branch is no longer on GitHub."""


class PushRejectedError(AgentError):
    """GitHub rejected a push. The text has GitHub's words."""


@dataclass(frozen=True)
class SessionBranch:
    """A branch by its repository's address and its name, and whether a session may change workflows there.

    It's for the default branch, unless it's for another, `base`.
    """

    url: str
    name: str
    allow_workflow_changes: bool = False
    base: str = ""


class GitHubBranch:
    """Every method waits out GitHub's faults and raises GitError where git fails for another reason."""

    def __init__(self, branch: SessionBranch, history: History) -> None:
        self.name = branch.name
        self.base_name = self._wanted_base = branch.base
        self.default_name = ""
        self._url = branch.url
        self._history = history

    def be_for(self, base: str) -> None:
        """Be for this branch, the default one or another, from the next fetch on that finds it."""
        self._wanted_base = base

    async def fetch(self, token: GitToken) -> str:
        """Fetch the branch, what it's for, the default branch, and the tags on them; return the branch's commit.

        Raises:
            BranchDeletedError: there is no such branch.
        """
        head = await self._fetch(token, f"+refs/heads/{self.name}:{_HEAD}", f"+HEAD:{_DEFAULT}")
        await self._fetch_base(token)
        return head

    async def fetch_latest(self, token: GitToken) -> str:
        """Do what `fetch` does, but for the last commits alone."""
        depth = f"--depth={_LATEST_COMMITS}"
        head = await self._fetch(token, depth, f"+refs/heads/{self.name}:{_HEAD}", f"+HEAD:{_DEFAULT}")
        await self._fetch_base(token, depth)
        return head

    async def fetch_older(self, token: GitToken) -> None:
        """Fetch all history of what was fetched, and the tags on it, as one pack."""
        options = ("-c", "fetch.unpackLimit=1", "fetch", "--quiet", "--unshallow")
        await self._git(token, *options, self._url, f"+HEAD:{_DEFAULT}", timeout_seconds=_OLDER_SECONDS)

    async def fetch_default(self, token: GitToken) -> str:
        """Fetch the default branch alone, and return its commit."""
        await self._git(token, "fetch", "--quiet", "--no-tags", self._url, f"+HEAD:{_DEFAULT}")
        return await self.default()

    async def fetch_commits(self, token: GitToken, commits: Sequence[str]) -> None:
        """Fetch commits that no branch has anymore, which GitHub keeps for a while."""
        await self._git(token, "fetch", "--quiet", "--no-tags", self._url, *commits)

    async def default(self) -> str:
        """Return the default branch's commit, as fetched last."""
        return await self._history.sha(_DEFAULT)

    async def base(self) -> str:
        """Return the commit of the branch that this one is for, as fetched last."""
        return (await self.beside())[-1]

    async def beside(self) -> list[str]:
        """Return the commits of the default branch, and of what this branch is for if that's another."""
        default = await self.default()
        return [default, await self._history.sha(_BASE)] if self.base_name else [default]

    async def push(self, token: GitToken, head: str, replacing: str) -> str:
        """Make `head` the branch, if that is at `replacing` now, and return its commit as read back from GitHub.

        Raises:
            BranchMovedError: it isn't.
            PushRejectedError: GitHub rejected it.
        """
        lease = f"--force-with-lease=refs/heads/{self.name}:{replacing}"
        try:
            await self._git(token, "push", "--quiet", lease, self._url, f"{head}:refs/heads/{self.name}")
        except GitError as error:
            if _MOVED.search(str(error)):
                raise BranchMovedError(str(error)) from error
            if _REFUSED.search(str(error)):
                raise PushRejectedError(str(error)) from error
            raise
        return await self._fetch(token, "--no-tags", f"+refs/heads/{self.name}:{_HEAD}")

    async def find_default_name(self, token: GitToken) -> None:
        """Find out the default branch's name, empty where GitHub doesn't say it.

        From then on, this branch has no other base where it's for that one.
        """
        listing = await self._git(token, "ls-remote", "--symref", self._url, "HEAD")
        name = listing.partition("\t")[0].removeprefix("ref: refs/heads/")
        self.default_name = "" if name.startswith("ref: ") or "ref: refs/heads/" not in listing else name
        if self.base_name == self.default_name:
            self.base_name = ""

    async def _fetch_base(self, token: GitToken, *options: str) -> None:
        """Fetch what this branch is for. Once that's gone, GitHub has it be for the default branch."""
        if self._wanted_base in {"", self.default_name}:
            self.base_name = ""
            return
        try:
            await self._git(token, "fetch", "--quiet", *options, self._url, f"+refs/heads/{self._wanted_base}:{_BASE}")
            self.base_name = self._wanted_base
        except GitError as error:
            if _MISSING not in str(error):
                raise
            self.base_name = self._wanted_base = ""

    async def _fetch(self, token: GitToken, *names: str) -> str:
        options = [name for name in names if name.startswith("--")]
        try:
            await self._git(token, "fetch", "--quiet", *options, self._url, *names[len(options) :])
        except GitError as error:
            if _MISSING in str(error):
                raise BranchDeletedError(f"There is no branch {self.name}.") from error
            raise
        return await self._history.sha(_HEAD)

    async def _git(self, token: GitToken, *arguments: str, timeout_seconds: int = GIT_SECONDS) -> str:
        where = self._history.repository
        return await waited_out(
            lambda: git(*arguments, at=where, token=token, url=self._url, timeout_seconds=timeout_seconds),
            patience_seconds=_PATIENCE_SECONDS,
        )
