"""How the work tree gets what others have done to the branch on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.git.history import ConflictError
from cloud_agent_runner.git.reconcile import RewrittenConflictError, reconciled
from cloud_agent_runner.git.update import NOTHING_NEW, Update, update_of

if TYPE_CHECKING:
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.position import Position
    from cloud_agent_runner.git.work_tree import WorkTree


async def take_over(theirs: str, position: Position, history: History, tree: WorkTree, branch: str) -> Update:
    """Move the work tree, in which everything is committed, on to `theirs`, with what isn't published yet.

    Raises:
        GitError: git failed.
    """
    work, seen = await tree.head(), position.seen
    sides = await position.sides(work, theirs)
    update = NOTHING_NEW
    if theirs != position.pushed:
        update = await update_of(history, sides, branch)
    try:
        result = await reconciled(history, sides, branch)
    except RewrittenConflictError:
        return update.set_aside(await position.set_aside(work, theirs))
    except ConflictError:
        return update.conflicting(branch)
    await position.move(work, result.head, theirs)
    return update if position.seen != seen else NOTHING_NEW
