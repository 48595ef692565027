"""Where the work tree and the branch on GitHub are to each other, as far as this session knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.git.bundle import Work
from cloud_agent_runner.git.reconcile import Sides

if TYPE_CHECKING:
    from collections.abc import Collection

    from cloud_agent_runner.git.branch import GitHubBranch
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.older_history import OlderHistory
    from cloud_agent_runner.git.supplements import Supplements
    from cloud_agent_runner.git.work_tree import WorkTree


class Position:
    """`seen` is the branch as the work tree has it, `begun` what the session began at, and `pushed` its last push.

    `found` is the branch on GitHub as it was fetched last, which the work tree may not have taken over yet. `aside` is
    work that didn't apply to a rewritten branch, until something is pushed again. Every method raises GitError where
    git fails.
    """

    def __init__(
        self, branch: GitHubBranch, history: History, tree: WorkTree, older: OlderHistory, supplements: Supplements
    ) -> None:
        self.seen = self.begun = self.pushed = self.found = ""
        self.aside: Work | None = None
        self._branch = branch
        self._history = history
        self._tree = tree
        self._older = older
        self._supplements = supplements
        self._own: set[str] = set()  # all commits that this session has published
        self._removed: set[str] = set()  # what others took off the branch

    def begin(self, head: str) -> None:
        """Begin at the branch as it is on GitHub."""
        self.seen = self.begun = self.found = head

    async def find(self, theirs: str) -> None:
        """Note that the branch on GitHub is at `theirs`, and what others have taken off it since it was fetched last.

        The work may have it, though the work tree never took it over: Claude can merge what it sees of GitHub.
        """
        if theirs not in {self.found, self.pushed}:
            self._removed.update(await self._history.commits(self.found, theirs))
        self.found = theirs

    async def has_pushed(self, head: str, theirs: str) -> None:
        """Note that what `head` has beyond `theirs` is this session's own on GitHub."""
        self.found = head
        self._own.update(await self._history.commits(head, theirs, *await self._branch.beside()))

    async def sides(self, work: str, theirs: str, *, may_rewrite: bool = True) -> Sides:
        """Return both sides of the branch. The work may rewrite what this session has published, unless it mustn't."""
        if theirs != self.seen:
            # What came may meet what is here where only the whole history tells.
            await self._older.wait()
        await self.find(theirs)
        if theirs != self.pushed:
            self._removed.update(await self._history.commits(self.seen, theirs))
        # What the branches beside it have may come from there, though it was also taken off this branch.
        removed: Collection[str] = self._removed
        for beside in await self._branch.beside():
            removed = await self._history.lacking(beside, removed)
        return Sides(self.seen, work, theirs, self._own if may_rewrite else (), removed, await self._branch.base())

    async def move(self, work: str, head: str, theirs: str | None = None) -> None:
        """Have the work tree at `head`, and remember which commit of GitHub's branch that stands for."""
        moved = work != head and await self._tree.move_to(head)
        if work == head or moved:
            self.seen = theirs or head
        if moved:  # what Claude has made itself is all there
            await self._supplements.follow(head)

    async def set_aside(self, work: str, theirs: str) -> str:
        """Keep `work` as a local branch, have the work tree at `theirs`, and return that branch's name."""
        self.aside = Work(self.seen, work)
        name = await self._tree.keep(work)
        await self.move(work, theirs)
        return name

    async def unpublished(self) -> Work:
        """Return the work that isn't on GitHub: the work tree's, or what was set aside."""
        work = Work(self.seen, await self._tree.head())
        return work if self.aside is None or await self.commits_of(work) else self.aside

    async def commits_of(self, work: Work) -> list[str]:
        """Return the commits of the work that are on GitHub in no other way."""
        return await self._history.commits(work.head, work.base, *await self._branch.beside())
