"""The two copies of the repository: Claude's work tree, and the bare one that commits are published from.

A repository that the model can write is hostile to whoever runs git in it with a token. So the work tree
knows neither token nor GitHub; its commits are fetched into a bare repository, and pushed from there.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.git_command import GitError, git

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from cloud_agent_runner.agent_api import GitToken

logger = logging.getLogger(__name__)

AUTHOR_NAME = "Claude"
AUTHOR_EMAIL = "noreply@anthropic.com"
_WORK = "refs/session/work"
_REMOTE = "refs/session/remote"
_ATTEMPTS = 3
_PAUSE_SECONDS = 2
# GitHub's words for a change of .github/workflows by an App without the permission, or a token without the scope.
_WORKFLOW_REFUSED = re.compile(r"refusing to allow .* to create or update workflow `([^`]+)` without `workflows?` ")


class CloneFailedError(AgentError):
    """The session's branch could not be fetched from GitHub."""


class PublishFailedError(AgentError):
    """Commits could not be pushed; they are still in the work tree, and the next turn tries again."""


@dataclass(frozen=True)
class Published:
    """What is on GitHub after a turn: `head_sha` as read back from there, None when nothing was pushed."""

    head_sha: str | None
    merged: bool = False


class GitWorkspace:
    """One branch of one repository, for Claude to work in."""

    def __init__(self, root: Path, url: str, branch: str, token: Callable[[], Awaitable[GitToken]]) -> None:
        self.work_tree = root / "repository"
        self._bare = root / "repository.git"
        self._bare_config = b""
        self._url = url
        self._branch = branch
        self._token = token

    @classmethod
    async def clone(cls, root: Path, url: str, branch: str, token: Callable[[], Awaitable[GitToken]]) -> Self:
        """Clone `branch` into `root`/repository, a work tree with no remote and no credentials.

        Raises:
            CloneFailedError: with git's output.
        """
        workspace = cls(root, url, branch, token)
        try:
            await git("init", "--quiet", "--bare", "--template=", str(workspace._bare), at=root)
            workspace._bare_config = (workspace._bare / "config").read_bytes()
            fetched = f"refs/heads/{branch}:refs/heads/{branch}"
            await workspace._remote_git(await token(), "fetch", "--no-tags", url, fetched)
            await git(
                *("clone", "--quiet", "--no-hardlinks", "--single-branch", "--template="),
                *("--branch", branch, str(workspace._bare), str(workspace.work_tree)),
                at=root,
            )
            await workspace._work("remote", "remove", "origin")
            await workspace._work("config", "user.name", AUTHOR_NAME)
            await workspace._work("config", "user.email", AUTHOR_EMAIL)
        except GitError as error:
            raise CloneFailedError(f"Couldn't clone the branch {branch} from {url}. {error}") from error
        return workspace

    async def leave_out_untracked(self) -> None:
        """Keep files that are untracked now (what the install command made) out of every later commit."""
        listing = await self._work("ls-files", "--others", "--exclude-standard", "--directory", "-z")
        exclude = self.work_tree / ".git" / "info" / "exclude"
        exclude.parent.mkdir(exist_ok=True)
        patterns = [f"/{_escaped(path)}\n" for path in listing.split("\0") if path]
        exclude.write_text("".join(patterns), encoding="utf-8")

    async def publish(self) -> Published:
        """Commit what was left uncommitted, push what the branch on GitHub lacks, and read it back.

        Never forces. Commits that others pushed meanwhile are merged, in the work tree too.

        Raises:
            PublishFailedError: in plain words; nothing is lost.
        """
        try:
            await self._commit_the_rest()
            await self._bare_git("fetch", "--quiet", "--no-tags", str(self.work_tree), f"+HEAD:{_WORK}")
        except GitError as error:
            raise PublishFailedError(f"Couldn't commit the changes. {error}") from error
        attempt = 1
        while True:
            try:
                return await self._push()
            except GitError as error:
                logger.warning("push failed", extra={"attempt": attempt, "reason": str(error)})
                if workflow := _WORKFLOW_REFUSED.search(str(error)):
                    raise PublishFailedError(_needs_permission(self._branch, workflow[1])) from error
                if attempt == _ATTEMPTS:
                    raise PublishFailedError(
                        f"Couldn't push to {self._branch}. The commits are kept, and the next turn tries again. {error}"
                    ) from error
            await asyncio.sleep(_PAUSE_SECONDS * attempt)
            attempt += 1

    async def _commit_the_rest(self) -> None:
        await self._work("add", "--all")
        if await self._work("status", "--porcelain", "--untracked-files=no"):
            message = "chore: commit changes that the last turn left uncommitted"
            await self._work("commit", "--quiet", "--no-verify", "--message", message)

    async def _push(self) -> Published:
        token = await self._token()
        fetched = f"+refs/heads/{self._branch}:{_REMOTE}"
        await self._remote_git(token, "fetch", "--quiet", "--no-tags", self._url, fetched)
        ours, theirs = await self._sha(_WORK), await self._sha(_REMOTE)
        base = await self._merge_base(ours, theirs)
        if base == ours:
            if ours != theirs:
                await self._bring_to_work_tree(theirs)
            return Published(head_sha=None)
        head = ours if base == theirs else await self._merged(ours, theirs)
        await self._remote_git(token, "push", "--quiet", self._url, f"{head}:refs/heads/{self._branch}")
        if head != ours:
            await self._bring_to_work_tree(head)
        return Published(head_sha=await self._read_back(token), merged=head != ours)

    async def _merged(self, ours: str, theirs: str) -> str:
        """Return a merge commit of both, made without a work tree.

        Raises:
            PublishFailedError: the two change the same lines; the other side is left in the work tree as a
                ref for Claude to merge.
        """
        try:
            tree = await self._bare_git("merge-tree", "--write-tree", ours, theirs)
        except GitError as error:
            other = f"refs/remotes/github/{self._branch}"
            await self._work("fetch", "--quiet", "--no-tags", str(self._bare), f"+{_REMOTE}:{other}")
            raise PublishFailedError(
                f"Couldn't push: someone else pushed to {self._branch} ({theirs[:7]}), and the changes conflict. "
                f"Nothing is lost. To resolve the conflict, comment and ask Claude to merge `github/{self._branch}`."
            ) from error
        who = ("-c", f"user.name={AUTHOR_NAME}", "-c", f"user.email={AUTHOR_EMAIL}")
        message = f"Merge what others pushed to {self._branch}"
        return await self._bare_git(*who, "commit-tree", tree, "-p", ours, "-p", theirs, "-m", message)

    async def _bring_to_work_tree(self, commit: str) -> None:
        """Move the work tree on to `commit`, which descends from what it has; what is on GitHub stands anyway."""
        try:
            await self._bare_git("update-ref", _REMOTE, commit)
            await self._work("fetch", "--quiet", "--no-tags", str(self._bare), _REMOTE)
            await self._work("merge", "--quiet", "--ff-only", "FETCH_HEAD")
        except GitError as error:
            logger.warning("work tree not brought up to date", extra={"reason": str(error)})

    async def _read_back(self, token: GitToken) -> str:
        listing = await self._remote_git(token, "ls-remote", self._url, f"refs/heads/{self._branch}")
        return listing.split("\t")[0]

    async def _sha(self, ref: str) -> str:
        return await self._bare_git("rev-parse", "--verify", ref)

    async def _merge_base(self, ours: str, theirs: str) -> str | None:
        try:
            return await self._bare_git("merge-base", ours, theirs)
        except GitError:
            return None

    async def _work(self, *arguments: str) -> str:
        return await git(*arguments, at=self.work_tree)

    async def _bare_git(self, *arguments: str) -> str:
        self._restore_bare_config()
        return await git(*arguments, at=self._bare)

    async def _remote_git(self, token: GitToken, *arguments: str) -> str:
        self._restore_bare_config()
        return await git(*arguments, at=self._bare, token=token, url=self._url)

    def _restore_bare_config(self) -> None:
        """Undo what a process of the same user may have written: `url.*.insteadOf` would redirect the token."""
        config = self._bare / "config"
        config.unlink(missing_ok=True)
        config.write_bytes(self._bare_config)


def _needs_permission(branch: str, workflow: str) -> str:
    return (
        f"Couldn't push to {branch}: the commits change `{workflow}`, and the GitHub App may not change workflows. "
        "The commits are kept. Either comment and ask Claude to undo that change, or ask your administrator to grant "
        "the App the Workflows permission and deploy with `AllowWorkflowChanges=true`."
    )


def _escaped(path: str) -> str:
    """Quote what gitignore patterns would read as more than a name."""
    return "".join(f"\\{letter}" if letter in "\\*?[ " else letter for letter in path)
