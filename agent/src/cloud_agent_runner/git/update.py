"""What a turn's beginning has brought into the work tree, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.reconcile import Sides


@dataclass(frozen=True)
class Update:
    """Sentences for Claude, before its request, and for people, below the turn's result. Empty: nothing to say."""

    for_claude: str = ""
    for_people: str = ""

    @classmethod
    def failed(cls, branch: str, *, deleted: bool) -> Self:
        """Return what is said where GitHub's branch couldn't be had."""
        if deleted:
            return cls("", f"({branch} isn't on GitHub anymore, so this turn began with the branch as it was last.)")
        return cls("", f"({branch} couldn't be brought up to date, so this turn began without what was pushed since.)")

    def then(self, later: Update) -> Update:
        """Return what both have to say, this first."""
        return Update(f"{self.for_claude} {later.for_claude}".strip(), f"{self.for_people} {later.for_people}".strip())

    def before(self, request: str) -> str:
        """Return Claude's request with what it has to know first."""
        return f"{self.for_claude}\n\n{request}" if self.for_claude else request

    def set_aside(self, name: str) -> Update:
        """Return this for commits that don't apply to a rewritten branch and are kept as the local branch `name`."""
        return replace(
            self,
            for_claude=f"{self.for_claude} Commits of yours that were never pushed don't apply to it: they are on the "
            f"local branch {name}. If they're still wanted, cherry-pick them. Don't merge {name}: what was removed "
            "must not come back.",
            for_people=f"{self.for_people} (Commits that weren't pushed yet don't apply to it. They're kept in the "
            f"container as the branch `{name}`.)".strip(),
        )

    def conflicting(self, branch: str) -> Update:
        """Return this for commits that conflict with the ones that others pushed."""
        return replace(
            self,
            for_claude=f"Others pushed to {branch}, and it conflicts with commits of yours that couldn't be pushed "
            f"yet. Merge `github/{branch}` first.",
        )


NOTHING_NEW = Update()
RECENT_HISTORY_ONLY = Update(
    "The repository's older commits and tags are still being fetched: until then `git log`, `git blame` and "
    "`git describe` know recent commits only."
)


def taken_up(branch: str, count: int) -> Update:
    """Return what a session begins with where an earlier one left commits that weren't on GitHub."""
    left = f"{_commits(count)} that {'wasn' if count == 1 else 'weren'}'t on GitHub when it ended"
    return Update(
        f"An earlier session on {branch} left {left}: this session goes on with {'it' if count == 1 else 'them'}.",
        f"(Took up {_commits(count)} that an earlier session on this branch couldn't push.)",
    )


async def update_of(history: History, sides: Sides, branch: str) -> Update:
    """Return what people did to the branch since the work tree had it last."""
    came = len(await history.commits(sides.theirs, sides.seen))
    went = len(await history.commits(sides.seen, sides.theirs))
    if not went:
        return Update(
            f"Since your last turn, others pushed {_commits(came)} to {branch}. They are checked out: "
            f"see `git log {sides.seen[:12]}..`. Files may differ from what you remember."
        )
    what = f"{branch} was rewritten on GitHub: {_commits(went)} removed, {came} new."
    return Update(
        f"Since your last turn, {what} It's checked out as it is there now. Don't bring back what was removed.",
        f"(Before this turn, {what} What was removed stays removed.)",
    )


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"
