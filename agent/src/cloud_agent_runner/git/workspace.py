"""The two copies of the repository: Claude's work tree, and the bare one that commits are published from.

A repository that the workspace's user can write is hostile to whoever runs git in it with a token. So the work tree
knows neither token nor GitHub, and all that is done there is done as that user. Its commits are fetched into the
supervisor's bare repository, which that user can read but not write, and pushed from there. The work tree borrows the
objects of the bare one: what is fetched from GitHub is in both.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.git.command import GitError, git, upload_pack, workspace_git, write_as
from cloud_agent_runner.git.github_faults import waited_out
from cloud_agent_runner.git.never_committed import NEVER_COMMITTED
from cloud_agent_runner.git.publish_errors import PublishFailedError
from cloud_agent_runner.repository.config import CONFIG_PATH
from cloud_agent_runner.repository.config_file import RepositoryConfigError, parse_repository_config
from cloud_agent_runner.secret_scan.refusal import not_allowed, secrets_refused
from cloud_agent_runner.secret_scan.scan import SecretScanError, scan_for_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.agent_api import GitToken
    from cloud_agent_runner.git.tokens import GitTokens
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

AUTHOR_NAME = "Claude"
AUTHOR_EMAIL = "noreply@anthropic.com"
_WORK = "refs/session/work"
_REMOTE = "refs/session/remote"
_DEFAULT = "refs/session/default"
_WORKFLOWS = ".github/workflows"
_ATTEMPTS = 3
_PAUSE_SECONDS = 2
# How long a fault of GitHub is waited out. The Agent API hears heartbeats meanwhile.
_PATIENCE_SECONDS = 300
# GitHub's words for a change of .github/workflows by an App without the permission, or a token without the scope.
_WORKFLOW_REFUSED = re.compile(r"refusing to allow .* to create or update workflow `([^`]+)` without `workflows?` ")


class CloneFailedError(AgentError):
    """The session's branch could not be fetched from GitHub."""


@dataclass(frozen=True)
class Published:
    """What is on GitHub after a turn: `head_sha` as read back from there, None when nothing was pushed."""

    head_sha: str | None
    merged: bool = False


@dataclass(frozen=True)
class SessionBranch:
    """A branch by its repository's address and its name, and whether a session may change workflows there."""

    url: str
    name: str
    allow_workflow_changes: bool = False


class GitWorkspace:
    """One branch of one repository, for Claude to work in."""

    def __init__(self, root: Path, user: WorkspaceUser, branch: SessionBranch, tokens: GitTokens) -> None:
        self.work_tree = user.home / "repository"
        self._user = user
        self._bare = root / "repository.git"
        self._url = branch.url
        self._branch = branch.name
        self._tokens = tokens
        self._allow_workflow_changes = branch.allow_workflow_changes

    @classmethod
    async def clone(cls, root: Path, user: WorkspaceUser, branch: SessionBranch, tokens: GitTokens) -> Self:
        """Clone `branch` for `user`: a work tree `repository` in its home, with no remote and no credentials.

        The supervisor's own copy is in `root`. Its token is released by the caller, when that delays nobody.

        Raises:
            CloneFailedError: with git's output.
        """
        workspace = cls(root, user, branch, tokens)
        try:
            await git("init", "--quiet", "--bare", "--template=", str(workspace._bare), at=root)
            token = await tokens.fresh()
            await workspace._remote_git(token, "fetch", "--no-tags", branch.url, f"+refs/heads/{branch.name}:{_REMOTE}")
            await workspace._make_work_tree(await workspace._sha(_REMOTE))
        except GitError as error:
            raise CloneFailedError(f"Couldn't clone the branch {branch.name} from {branch.url}. {error}") from error
        return workspace

    async def leave_out_untracked(self) -> None:
        """Keep files that are untracked now (what the install command made) out of every later commit.

        What nobody ever commits stays out from the start.
        """
        listing = await self._work("ls-files", "--others", "--exclude-standard", "--directory", "-z")
        await self._leave_out(*(f"/{_escaped(path)}\n" for path in listing.split("\0") if path))

    async def publish(self) -> Published:
        """Commit what was left uncommitted, push what the branch on GitHub lacks, and read it back.

        Never forces. Commits that others pushed meanwhile are merged, in the work tree too.

        Raises:
            PublishRefusedError: the commits contain what looks like a secret, and nothing was pushed.
            PublishFailedError: in plain words; nothing is lost.
        """
        try:
            await self._commit_the_rest()
            await self._fetch_work()
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

    async def _make_work_tree(self, head: str) -> None:
        branch = f"--initial-branch={self._branch}"
        await workspace_git(
            self._user, "init", "--quiet", "--template=", branch, str(self.work_tree), at=self._user.home
        )
        objects = self.work_tree / ".git" / "objects"
        await write_as(self._user, objects / "info" / "alternates", f"{self._bare / 'objects'}\n")
        await self._leave_out()
        await self._work("config", "user.name", AUTHOR_NAME)
        await self._work("config", "user.email", AUTHOR_EMAIL)
        await self._work("reset", "--quiet", "--hard", head)

    async def _leave_out(self, *patterns: str) -> None:
        await write_as(self._user, self.work_tree / ".git" / "info" / "exclude", "".join([NEVER_COMMITTED, *patterns]))

    async def _fetch_work(self) -> None:
        """Get the work tree's commits; the other side of the fetch is the workspace's user, as all that runs there."""
        other_side = f"--upload-pack={upload_pack(self._user, self.work_tree)}"
        await self._bare_git("fetch", "--quiet", "--no-tags", other_side, str(self.work_tree), f"+HEAD:{_WORK}")

    async def _commit_the_rest(self) -> None:
        # Mostly nothing is left: then this is the one command, for whoever has interrupted Claude waits for it.
        if not await self._work("status", "--porcelain", "--untracked-files=normal"):
            return
        await self._work("add", "--all")
        if await self._work("status", "--porcelain", "--untracked-files=no"):
            message = "chore: commit changes that the last turn left uncommitted"
            await self._work("commit", "--quiet", "--no-verify", "--message", message)

    async def _push(self) -> Published:
        token = await self._tokens.fresh()
        try:
            return await self._push_with(token)
        finally:
            self._tokens.release()

    async def _push_with(self, token: GitToken) -> Published:
        fetched = f"+refs/heads/{self._branch}:{_REMOTE}"
        await self._remote_git(token, "fetch", "--quiet", "--no-tags", self._url, fetched)
        ours, theirs = await self._sha(_WORK), await self._sha(_REMOTE)
        base = await self._merge_base(ours, theirs)
        if base == ours:
            if ours != theirs:
                await self._bring_to_work_tree(theirs)
            return Published(head_sha=None)
        if not self._allow_workflow_changes:
            await self._refuse_workflow_changes(token, base or theirs, ours)
        await self._refuse_secrets(token, theirs, ours)
        head = ours if base == theirs else await self._merged(ours, theirs)
        await self._remote_git(token, "push", "--quiet", self._url, f"{head}:refs/heads/{self._branch}")
        if head != ours:
            await self._bring_to_work_tree(head)
        return Published(head_sha=await self._read_back(token), merged=head != ours)

    async def _refuse_workflow_changes(self, token: GitToken, base: str, head: str) -> None:
        """Refuse what GitHub lets through where the token may change workflows, as a personal one may.

        The default branch's own workflows may be merged: they run anyway.
        """
        changed = await self._changed_workflows(base, head)
        if changed:
            await self._fetch_default(token)
            changed &= await self._changed_workflows(_DEFAULT, head)
        if changed:
            raise PublishFailedError(_needs_permission(self._branch, min(changed)))

    async def _changed_workflows(self, base: str, head: str) -> set[str]:
        names = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head, "--", _WORKFLOWS)
        return set(filter(None, (await self._bare_git(*names)).split("\0")))

    async def _refuse_secrets(self, token: GitToken, base: str, head: str) -> None:
        try:
            found = await scan_for_secrets(self._bare, base, head)
            if found:
                found = not_allowed(found, await self._allowed_paths(token))
        except (SecretScanError, RepositoryConfigError) as error:
            raise PublishFailedError(f"Couldn't push to {self._branch}. The commits are kept. {error}") from error
        if found:
            raise secrets_refused(found, self._branch, base)

    async def _allowed_paths(self, token: GitToken) -> list[str]:
        """Return where the default branch allows what looks like secrets. What Claude can write allows nothing."""
        await self._fetch_default(token)
        if not await self._bare_git("ls-tree", "--name-only", _DEFAULT, "--", CONFIG_PATH):
            return []
        content = await self._bare_git("cat-file", "blob", f"{_DEFAULT}:{CONFIG_PATH}")
        return parse_repository_config(content.encode()).secret_scan_ignore

    async def _fetch_default(self, token: GitToken) -> None:
        await self._remote_git(token, "fetch", "--quiet", "--no-tags", self._url, f"+HEAD:{_DEFAULT}")

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
            await self._work("update-ref", other, theirs)
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
            await self._work("merge", "--quiet", "--ff-only", commit)
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
        return await workspace_git(self._user, *arguments, at=self.work_tree)

    async def _bare_git(self, *arguments: str) -> str:
        return await git(*arguments, at=self._bare)

    async def _remote_git(self, token: GitToken, *arguments: str) -> str:
        return await waited_out(
            lambda: git(*arguments, at=self._bare, token=token, url=self._url), patience_seconds=_PATIENCE_SECONDS
        )


def _needs_permission(branch: str, workflow: str) -> str:
    return (
        f"Couldn't push to {branch}: the commits change `{workflow}`, and the GitHub App may not change workflows. "
        "The commits are kept. Either comment and ask Claude to undo that change, or ask your administrator to grant "
        "the App the Workflows permission and deploy with `AllowWorkflowChanges=true`."
    )


def _escaped(path: str) -> str:
    """Quote what gitignore patterns would read as more than a name."""
    return "".join(f"\\{letter}" if letter in "\\*?[ " else letter for letter in path)
