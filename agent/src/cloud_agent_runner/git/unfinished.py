"""What a turn can leave half done in the work tree: an operation of Git's, or another commit checked out.

What is pushed is the session's branch. In the middle of a rebase or a merge, files have both sides of each conflict,
and the branch isn't what it's about to become; while another commit is checked out, nothing says that the branch's own
are to go. Claude finishes what it can. What it can't, because the turn was interrupted, is undone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.publish_errors import PublishRefusedError
from cloud_agent_runner.git.update import NOTHING_NEW, Update

if TYPE_CHECKING:
    from cloud_agent_runner.git.work_tree import TreeStatus, WorkTree

logger = logging.getLogger(__name__)

# What there is below .git while each is under way ("git: contrib/completion/git-prompt.sh, __git_ps1").
_SIGNS = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}
_UNDOING = {
    "rebase": (("rebase", "--abort"), ("am", "--abort"), ("rebase", "--quit")),
    "merge": (("merge", "--abort"),),
    "cherry-pick": (("cherry-pick", "--abort"),),
    "revert": (("revert", "--abort"),),
    "": (("reset", "--merge"),),  # as after `git stash pop`, whose stash stays
}
_SAY = "End with one or two sentences for the pull request that say what you did.\n"


class UnfinishedError(PublishRefusedError):
    """Claude has to finish something first."""


@dataclass(frozen=True)
class Undone:
    """What people and Claude have to know, and the last commit of what was left beside the branch, if anything was."""

    update: Update = NOTHING_NEW
    beside: str = ""


class Unfinished:
    """Commits what a turn has left, once `branch` is checked out and nothing half done.

    Every method raises GitError where git fails.
    """

    def __init__(self, branch: str, tree: WorkTree) -> None:
        self._branch = branch
        self._tree = tree

    async def commit_the_rest(self) -> TreeStatus:
        """Commit what the turn has left, and return the work tree's status before that.

        Raises:
            UnfinishedError: it takes somebody who knows what was meant.
        """
        status = await self._settled()
        # Mostly it's clean: then that was the one command, for whoever has interrupted Claude waits for it.
        if not status.is_clean:
            await self._tree.commit_the_rest()
        return status

    async def _settled(self) -> TreeStatus:
        """Return the work tree's status, with the branch checked out; another one's commits on it are the branch's."""
        status = await self._tree.status()
        if status.branch == self._branch and not status.unmerged:
            return status
        operation = await self._operation()
        if status.unmerged or operation == "rebase":
            raise self._half_done(operation)
        if not await self._is_ahead(self._branch, of="HEAD"):
            return await self._checked_out("-B", self._branch)
        if status.is_changed or await self._is_ahead("HEAD", of=self._branch):
            raise self._elsewhere(status)
        return await self._checked_out(self._branch)

    async def undo(self) -> Undone:
        """Have the branch checked out and nothing half done. What was committed beside it is kept as a local branch."""
        update, beside = NOTHING_NEW, ""
        status = await self._tree.status()
        operation = await self._operation()
        if status.unmerged or operation == "rebase":
            rebased = status.commit if operation == "rebase" else ""
            await self._undo(operation)
            update = _undone(operation)
            status = await self._tree.status()
            # In the middle of it Claude can commit what nothing but Git's log would know of from now on.
            if rebased and await self._is_new(rebased):
                beside = rebased
                update = update.then(self._kept(await self._tree.keep(beside)))
        if status.branch != self._branch and await self._is_ahead(self._branch, of="HEAD"):
            await self._tree.commit_what_can_be()
            if await self._is_ahead("HEAD", of=self._branch):
                beside = await self._tree.head()
                update = update.then(self._kept(await self._tree.keep(beside)))
            await self._tree.git("checkout", "--quiet", "--force", self._branch)
        return Undone(update, beside)

    async def _operation(self) -> str:
        """Return which operation is under way, by the workspace's word; an empty text if none is."""
        there = (await self._tree.run("ls", "-1", ".git")).split()
        return next((name for sign, name in _SIGNS.items() if sign in there), "")

    async def _undo(self, operation: str) -> None:
        for arguments in _UNDOING[operation]:
            try:
                await self._tree.git(*arguments)
            except GitError as error:
                logger.warning("not undone", extra={"operation": operation, "reason": str(error)})
            else:
                break
        if (await self._tree.status()).unmerged:
            await self._tree.git("reset", "--quiet", "--hard")

    async def _is_ahead(self, name: str, *, of: str) -> bool:
        """Return whether it has commits that the other hasn't; a branch that isn't there has none."""
        try:
            return bool(await self._tree.git("rev-list", "--max-count=1", name, f"^{of}", "--"))
        except GitError:
            return False

    async def _is_new(self, commit: str) -> bool:
        """Return whether it has a change that neither the branch has, be it in a copy, nor anything of GitHub's."""
        try:
            own = await self._tree.git("rev-list", commit, f"^{self._branch}", "--not", "--remotes=github", "--")
            both = f"{self._branch}...{commit}"
            uncopied = await self._tree.git("rev-list", "--cherry-pick", "--right-only", both, "--")
        except GitError:
            return False
        return not set(own.split()).isdisjoint(uncopied.split())

    async def _checked_out(self, *which: str) -> TreeStatus:
        try:
            await self._tree.git("checkout", "--quiet", *which)
        except GitError as error:  # such as a file that isn't tracked here, or another work tree that has the branch
            logger.warning("branch not checked out", extra={"reason": str(error)})
        return await self._tree.status()

    def _half_done(self, operation: str) -> UnfinishedError:
        what = f"a {operation} is in progress" if operation else "files have conflicts that aren't resolved"
        how = (
            f"Finish the {operation}, with conflicts resolved so that both intentions hold, or abort it."
            if operation
            else "Resolve them, so that both intentions hold."
        )
        request = f"This turn's changes were not pushed yet, because {what}: see `git status`. {how}\n\n{_SAY}"
        return UnfinishedError(f"Couldn't push to {self._branch}: {what}.", request)

    def _elsewhere(self, status: TreeStatus) -> UnfinishedError:
        where = f"`{status.branch}`" if status.branch else f"the commit {status.commit[:7]}"
        what = f"{where} is checked out, and `{self._branch}` has commits that aren't in it"
        request = (
            f"This turn's changes were not pushed yet, because {what}. What is pushed is `{self._branch}`: check it "
            f"out, with all that is to be on the pull request and nothing else.\n\n{_SAY}"
        )
        return UnfinishedError(f"Couldn't push to {self._branch}: {what}.", request)

    def _kept(self, name: str) -> Update:
        return Update(
            f"Your last turn ended before you had checked out `{self._branch}` again. What you committed beside it is "
            f"on the local branch `{name}`, and isn't pushed. If it's still wanted, bring it to `{self._branch}`.",
            f"(The turn ended while Claude was working beside {self._branch}. What was committed there isn't pushed: "
            f"it's kept, in the container as the branch `{name}`. To have it, comment and ask Claude.)",
        )


def _undone(operation: str) -> Update:
    what = f"a {operation} was in progress" if operation else "files had conflicts that weren't resolved"
    return Update(
        f"When your last turn ended, {what}. It was undone, so that the branch is as it was before.",
        f"(When the turn ended, {what}. It was undone: to have it, comment and ask Claude again.)",
    )
