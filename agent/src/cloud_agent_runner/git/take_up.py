"""How a session goes on with commits that an earlier one on its branch couldn't push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.git.bundle import Work
from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.history import ConflictError
from cloud_agent_runner.git.reconcile import RewrittenConflictError, reconciled
from cloud_agent_runner.git.update import NOTHING_NEW, Update, taken_up

if TYPE_CHECKING:
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.position import Position
    from cloud_agent_runner.git.work_tree import WorkTree


@dataclass(frozen=True)
class TakenUp:
    """How many commits of an earlier session aren't on GitHub and go on in this one, and what is to be said of it.

    Those that conflict with the branch can't be pushed before Claude has seen to it.
    """

    commits: int
    update: Update
    can_be_pushed: bool = True


async def take_up(work: Work, position: Position, history: History, tree: WorkTree, branch: str) -> TakenUp:
    """Have the work tree, which is as it was cloned, at what becomes of it and an earlier session's work.

    They're put together as work and what others pushed meanwhile always are.

    Raises:
        GitError: git failed. Then all is as it was.
    """
    theirs = position.seen
    try:
        return await _take_up(work, theirs, position, history, tree, branch)
    except GitError:
        position.seen = theirs
        raise


async def _take_up(  # noqa: PLR0913, PLR0917 - as `take_up`
    work: Work, theirs: str, position: Position, history: History, tree: WorkTree, branch: str
) -> TakenUp:
    async def begin_at(head: str, seen: str) -> None:
        await position.move(theirs, head, seen)
        if await tree.head() != head:
            raise GitError("The work tree couldn't be moved.")
        position.begun = head

    position.seen = work.base
    sides = await position.sides(work.head, theirs)
    count = len(await position.commits_of(work))
    update = taken_up(branch, count)
    try:
        result = await reconciled(history, sides, branch)
    except RewrittenConflictError:
        name = await position.set_aside(work.head, theirs)
        return TakenUp(count, update.set_aside(name), can_be_pushed=False)
    except ConflictError:
        await begin_at(work.head, work.base)
        return TakenUp(count, update.then(NOTHING_NEW.conflicting(branch)), can_be_pushed=False)
    await begin_at(result.head, theirs)
    left = len(await position.commits_of(Work(theirs, result.head)))
    return TakenUp(left, taken_up(branch, left) if left else NOTHING_NEW)
