"""What the session's branch becomes, of the work in the container and of what people did to the branch on GitHub.

Nothing that is on GitHub is lost, but for commits of this session's own that nobody has built on and Claude rewrote.
Nothing returns that a person took off the branch: of the work only what was never published is put on theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.git.history import ConflictError, History

if TYPE_CHECKING:
    from collections.abc import Collection

MERGED = "Merged with what others pushed to the branch."
REBASED = "Rebased onto what others pushed to the branch, because a rule forbids merge commits."
REPLAYED = (
    "The branch was rewritten on GitHub. This turn's commits were rebased onto it, and what was removed there stays "
    "removed."
)
REWRITTEN = "Claude rewrote commits that it had pushed itself and nobody had built on, so this was a force push."
KEPT = (
    "Claude rewrote commits that aren't its own to rewrite. They stay in the branch's history, and the result is on "
    "top of them."
)


class RewrittenConflictError(ConflictError):
    """Others rewrote the branch, and commits that were never published don't apply to what it is now."""


@dataclass(frozen=True)
class Sides:
    """`seen` is the branch as the work tree had it last, `work` the work tree's commit, `theirs` the branch on GitHub.

    `own` are commits that this session published; `removed` those that others have taken off the branch. `base` is
    the branch that it's for.
    """

    seen: str
    work: str
    theirs: str
    own: Collection[str]
    removed: Collection[str]
    base: str


@dataclass(frozen=True)
class Reconciled:
    """The commit that has both sides, and a sentence on how it came about where that isn't plain."""

    head: str
    note: str = ""


async def reconciled(history: History, sides: Sides, branch: str, *, may_merge: bool = True) -> Reconciled:
    """Return what the branch is to become; `theirs` where the work adds nothing to it.

    Where a rule forbids merge commits (`may_merge`), the work is rebased onto what others pushed.

    Raises:
        RewrittenConflictError, ConflictError: both sides change the same lines.
    """
    if not await history.contains(sides.theirs, sides.seen):
        return await _after_a_rewrite(history, sides)
    work, note = sides.work, ""
    rewritten = await history.commits(sides.seen, work)
    if rewritten:
        if sides.theirs == sides.seen and set(rewritten) <= set(sides.own):
            return await _without_removed(history, sides, Reconciled(work, REWRITTEN))
        work, note = await history.on_top(work, sides.seen, unless=sides.removed), KEPT
    if await history.contains(sides.theirs, work):
        return Reconciled(sides.theirs)
    if not may_merge and not await history.contains(work, sides.theirs):
        work = await history.replayed(work, sides.seen, sides.theirs, unless=sides.removed)
        note = f"{note} {REBASED}".strip()
    elif not await history.contains(work, sides.theirs):
        work = await history.merged(work, sides.theirs, f"Merge what others pushed to {branch}")
        note = f"{note} {MERGED}".strip()
    return await _without_removed(history, sides, Reconciled(work, note))


async def _after_a_rewrite(history: History, sides: Sides) -> Reconciled:
    """Put on theirs what was never published."""
    if await history.contains(sides.theirs, sides.work):
        return Reconciled(sides.theirs)
    try:
        head = await history.replayed(sides.work, sides.seen, sides.theirs, unless=sides.removed, merged=sides.base)
    except ConflictError as error:
        raise RewrittenConflictError(str(error)) from error
    return Reconciled(head, "" if head == sides.theirs else REPLAYED)


async def _without_removed(history: History, sides: Sides, result: Reconciled) -> Reconciled:
    """Return the result with the same files and without the commits that others took off the branch."""
    if not set(await history.commits(result.head, sides.theirs)) & set(sides.removed):
        return result
    if not await history.contains(result.head, sides.theirs):
        return Reconciled(await history.on_top(result.head, sides.theirs, unless=sides.removed), KEPT)
    head = await history.replayed(result.head, sides.theirs, sides.theirs, unless=sides.removed)
    return Reconciled(head, result.note)
