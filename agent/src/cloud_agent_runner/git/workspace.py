"""The two copies of the repository: Claude's work tree, and the bare one that commits are published from.

A repository that the workspace's user can write is hostile to whoever runs git in it with a token. So the work tree
knows neither token nor GitHub, and all that is done there is done as that user. Its commits are fetched into the
supervisor's bare repository, which that user can read but not write, and pushed from there. The work tree borrows the
objects of the bare one: what is fetched from GitHub is in both.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.git.base import Base
from cloud_agent_runner.git.branch import BranchDeletedError, GitHubBranch, SessionBranch
from cloud_agent_runner.git.bundle import Work, read_bundle, write_bundle
from cloud_agent_runner.git.changes import Commit, Diff, commits_between, difference
from cloud_agent_runner.git.command import TOO_LARGE, GitError
from cloud_agent_runner.git.credit import Credit
from cloud_agent_runner.git.history import History
from cloud_agent_runner.git.lfs.files import LfsFiles
from cloud_agent_runner.git.lfs.server import LfsServer
from cloud_agent_runner.git.lfs.uploads import LfsUploads
from cloud_agent_runner.git.older_history import OlderHistory
from cloud_agent_runner.git.position import Position
from cloud_agent_runner.git.publish_errors import PublishFailedError
from cloud_agent_runner.git.push import BranchPush, Published
from cloud_agent_runner.git.push_checks import PushChecks
from cloud_agent_runner.git.refused_push import empty_repository_refused, repository_without_commits, too_large_refused
from cloud_agent_runner.git.shown_refs import ShownRefs
from cloud_agent_runner.git.submodules import Submodules
from cloud_agent_runner.git.supplements import Supplements
from cloud_agent_runner.git.take_over import take_over
from cloud_agent_runner.git.take_up import TakenUp, take_up
from cloud_agent_runner.git.unfinished import Unfinished, UnfinishedError
from cloud_agent_runner.git.update import NOTHING_NEW, RECENT_HISTORY_ONLY, Update
from cloud_agent_runner.git.work_tree import WorkTree
from cloud_agent_runner.repository.config_file import DefaultBranchConfigError, RepositoryConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cloud_agent_runner.agent_api_messages import GitToken
    from cloud_agent_runner.git.tokens import GitTokens
    from cloud_agent_runner.repository.config import RepositoryConfig
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)


class CloneFailedError(AgentError):
    """The session's branch could not be fetched from GitHub."""


@dataclass(frozen=True)
class ClonedFiles:
    """The files of the commit `head`: what Git calls their content, by path."""

    head: str
    blobs: dict[str, str]


class GitWorkspace:
    """One branch of one repository, for Claude to work in, and for people at the same time."""

    def __init__(self, root: Path, user: WorkspaceUser, branch: SessionBranch, tokens: GitTokens) -> None:
        self.work_tree = user.home / "repository"
        self._history = History(root / "repository.git")
        self._tree = WorkTree(self.work_tree, user, self._history)
        self._branch = GitHubBranch(branch, self._history)
        self._base = Base(branch.base)
        self._tokens = tokens
        self._older = OlderHistory(root / "older.git", branch, self._history, self._tree)
        # Held while the copies exchange commits with each other or with GitHub.
        self._exchange = asyncio.Lock()
        server = LfsServer(branch.url)
        lfs = LfsFiles(server, self._history, self._tree, tokens, self._exchange)
        submodules = Submodules(branch.url, self._history, self._tree)
        self._supplements = Supplements(self._history, submodules, lfs)
        self._checks = PushChecks(
            self._branch,
            self._history,
            self._tree,
            LfsUploads(server, self._history, self._tree),
            submodules,
            allow_workflow_changes=branch.allow_workflow_changes,
        )
        self._credit = Credit()
        self._described = ""  # the commit that `changes` told of last
        self._at = Position(self._branch, self._history, self._tree, self._older, self._supplements)
        self._unfinished = Unfinished(branch.name, self._tree)
        self._undone = NOTHING_NEW
        self._shown = ShownRefs(self._branch, self._history, self._tree)
        self._push = BranchPush(self._branch, tokens, self._history, self._checks, self._at, self._shown)

    @classmethod
    async def clone(cls, root: Path, user: WorkspaceUser, branch: SessionBranch, tokens: GitTokens) -> Self:
        """Clone `branch` for `user`: a work tree `repository` in its home, with no remote and no credentials.

        The default branch, and what the branch is for, are there as `github/<name>`, with the tags. The supervisor's
        own copy is in `root`. Of a long history the last commits are enough to begin with: the rest follows in the
        background.

        Raises:
            CloneFailedError: with git's output.
        """
        workspace = cls(root, user, branch, tokens)
        try:
            await workspace._history.create()
            workspace._described = head = await tokens.reading(workspace._fetch_first)
            workspace._at.begin(head)
            await workspace._tree.create(branch.name, head)
            await workspace._supplements.follow(head)
            await workspace._shown.show(head)
            default = await workspace._branch.default()
            await workspace._older.begin(tokens, workspace._exchange, head, default)
            await workspace._supplements.wait()
        except (GitError, BranchDeletedError) as error:
            raise CloneFailedError(f"Couldn't clone the branch {branch.name} from {branch.url}. {error}") from error
        return workspace

    async def fetch_beside(self) -> None:
        """Fetch what follows the clone until cancelled: older history, submodules, files in Git LFS."""
        try:
            await self._older.whole()
            await asyncio.Event().wait()
        finally:
            self._supplements.cancel()

    async def default_branch_config(self) -> RepositoryConfig | None:
        """Return the settings that the default branch has, as it was fetched last; None if it has no file of them.

        Raises:
            DefaultBranchConfigError: its file can't be used.
        """
        try:
            return await self._checks.default_branch_config()
        except RepositoryConfigError as error:
            raise DefaultBranchConfigError(error) from error
        except GitError as error:
            logger.warning("default branch's settings unknown", extra={"reason": str(error)})
            return None

    async def cloned_files(self) -> ClonedFiles:
        """Return the files that the session begins with: the branch's, or those of work that it took up."""
        head = self._at.begun
        listing = (await self._history.git("ls-tree", "-r", "-z", head)).split("\0")
        entries = (line.partition("\t") for line in listing if line)
        return ClonedFiles(head, {path: entry.split(" ")[2] for entry, _, path in entries})

    def has(self, commit: str) -> bool:
        """Whether the branch on GitHub is known to be at this commit. That it was there before is no reason.

        Whoever takes commits off the branch brings it back to one of those.
        """
        return commit == self._at.found

    async def leave_out_untracked(self) -> None:
        """Keep files that are untracked now (what the install command made) out of every later commit."""
        await self._tree.leave_out_untracked()

    async def newly_uncommitted(self) -> list[str]:
        """Return what publishing has left out though the repository doesn't ignore it: what's never committed, once."""
        try:
            return await self._tree.newly_uncommitted()
        except GitError as error:
            logger.warning("uncommitted files not listed", extra={"reason": str(error)})
            return []

    async def credit(self, credit: Credit) -> None:
        """Have commits that aren't published yet, and those to come, be credited like this."""
        self._credit = credit
        self._history.author = credit.author
        await self._tree.set_author(credit.author)

    def follow_base(self, base: str) -> Update:
        """Have the branch be for `base` once it's brought up to date, and say so; empty where nobody knows it."""
        if self._base.changes_to(base):
            self._branch.be_for(base)
        return self._base.update()

    async def bring_up_to_date(self) -> Update:
        """Bring the work tree to what the branch is on GitHub now, with the commits that aren't published yet on top.

        Default branch and tags, too. Never raises for a fault of GitHub or Git: then the work tree stays as it is, and
        the update says so.
        """
        async with self._exchange:
            update = await self._bring_up_to_date()
        await self._supplements.wait()
        return update

    def missing(self) -> Update:
        """Return what a turn that begins now has to know isn't here."""
        update = self._supplements.missing()
        return update.then(RECENT_HISTORY_ONLY) if self._older.is_missing else update

    async def _bring_up_to_date(self) -> Update:
        try:
            theirs = await self._tokens.reading(self._branch.fetch)
            await self._shown.show(theirs)
            await self._at.find(theirs)
            if theirs == self._at.seen:
                return NOTHING_NEW
            await self._unfinished.commit_the_rest()
            return await take_over(theirs, self._at, self._history, self._tree, self._branch.name)
        except (GitError, UnfinishedError, BranchDeletedError) as error:
            logger.warning("work tree not brought up to date", extra={"reason": str(error)})
            return Update.failed(self._branch.name, deleted=isinstance(error, BranchDeletedError))

    async def unpublished(self) -> int:
        """Return how many commits of the session aren't on GitHub, as far as it knows."""
        async with self._exchange:
            try:
                return len(await self._at.commits_of(await self._at.unpublished()))
            except GitError as error:
                logger.warning("unpublished commits not counted", extra={"reason": str(error)})
                return 0

    async def conflicts(self) -> bool:
        """Return whether what is on GitHub can't be merged into what it's for, as that was fetched last."""
        try:
            return await self._history.conflicting(await self._branch.base(), self._at.seen)
        except GitError as error:
            logger.info("conflicts unknown", extra={"reason": str(error)})
            return False

    async def commit_what_can_be(self) -> None:
        """Commit what a turn that was cut short has left uncommitted: nobody works in the work tree anymore.

        An operation of Git's that was in progress is undone.

        Raises:
            GitError: git failed.
        """
        async with self._exchange:
            self._set_aside((await self._unfinished.undo()).beside)
            await self._tree.commit_what_can_be()
            await self._credited(await self._tree.head())

    async def bundle(self, file: Path) -> str:
        """Write the commits that aren't on GitHub to `file`, for `take_up` of a later session; return the last one.

        Raises:
            BundleTooLargeError: they are larger than what is kept.
            GitError: git failed.
        """
        async with self._exchange:
            work = await self._at.unpublished()
            await write_bundle(self._history, work, file, *await self._branch.beside())
            return work.head

    async def take_up(self, file: Path) -> TakenUp:
        """Continue with the commits that an earlier session has left in a bundle, in a work tree that is as cloned.

        They're put together with what the branch is by now as unpublished commits always are.

        Raises:
            GitError: it isn't a bundle, or what it builds on is gone. Then all is as it was.
        """
        async with self._exchange:
            work = await read_bundle(self._history, file, self._fetch_commits)
            return await take_up(work, self._at, self._history, self._tree, self._branch.name)

    async def publish(self, *, commit: bool = True, undo: bool = False) -> Published:
        """Make the branch on GitHub what it has to become, and read it back; `commit` what was left uncommitted, too.

        What others pushed meanwhile is merged, in the work tree too. Nothing of theirs is ever overwritten. What the
        turn has left half done goes back to Claude, or, with `undo`, is undone: `undone` says then what.

        Raises:
            PublishRefusedError: not as the commits are; it asks Claude to change them.
            PublishFailedError: in plain words; nothing is lost.
        """
        async with self._exchange:
            beside = ""
            try:
                if undo:
                    undone = await self._unfinished.undo()
                    self._undone, beside = undone.update, undone.beside
                work = await self._committed() if commit else await self._credited(await self._tree.head())
                return await self._push.publish(work)
            except GitError as error:
                if TOO_LARGE in str(error):
                    raise too_large_refused(self._branch.name, self._at.seen) from error
                if path := repository_without_commits(str(error)):
                    raise empty_repository_refused(self._branch.name, path, self._at.seen) from error
                raise PublishFailedError(f"Couldn't commit the changes. {error}") from error
            finally:
                self._set_aside(beside)

    @property
    def has_set_aside(self) -> bool:
        """Whether commits were left beside the branch, which aren't on GitHub."""
        return self._at.aside is not None

    def undone(self) -> Update:
        """Return once what publishing had to undo, for people and for Claude's next turn."""
        update, self._undone = self._undone, NOTHING_NEW
        return update

    def _set_aside(self, beside: str) -> None:
        if beside:
            self._at.aside = Work(self._at.seen, beside)

    async def _committed(self) -> str:
        """Commit what the turn has left, and return the session's last commit as it's to be published."""
        status = await self._unfinished.commit_the_rest()
        if status.is_clean and status.commit == self._at.seen:
            return status.commit
        return await self._credited(await self._tree.head())

    async def changes(self) -> tuple[list[Commit], Diff | None]:
        """Return the commits that the branch has got since this was last called, and what it changes in all.

        None where Git doesn't know yet where it left what it's for: its older history is still on the way.
        """
        since, self._described = self._described, self._at.seen
        if since == self._at.seen:
            return [], None
        try:
            commits = await commits_between(self._history.git, since, self._at.seen)
            return commits, await difference(self._history.git, await self._branch.base(), self._at.seen)
        except GitError as error:
            logger.info("changes unknown", extra={"reason": str(error)})
            return [], None

    async def _credited(self, work: str) -> str:
        """Return the work with its credit, which the work tree has then as well. What GitHub has stays as it is.

        That's more than the work tree was brought up to: Claude can merge what it sees of GitHub's branch.
        """
        published = (self._at.seen, self._at.found, *await self._branch.beside())
        credited = await self._history.credited(work, self._credit, *published)
        return credited if credited == work or await self._tree.move_to(credited) else work

    async def _fetch_first(self, token: GitToken) -> str:
        await self._branch.find_default_name(token)
        return await self._branch.fetch_latest(token)

    async def _fetch_commits(self, commits: Sequence[str]) -> None:
        """Have commits here that the clone has left out, or that were taken off the branch."""
        await self._older.wait()
        await self._tokens.reading(partial(self._branch.fetch_commits, commits=commits))
