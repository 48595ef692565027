"""What came of bringing a pull request's branch up to date with its base branch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BranchUpdate:
    """GitHub merges the base branch, unless one of these says why it doesn't; `refusal` is in GitHub's own words."""

    conflicts: bool = False
    was_current: bool = False
    refusal: str = ""

    @property
    def is_current(self) -> bool:
        """Whether the branch has all of its base branch, or is about to."""
        return not (self.conflicts or self.refusal)


def merge_request(base: str) -> str:
    """Return what Claude is asked where GitHub can't merge the base branch by itself."""
    return (
        f"Bring this branch up to date: merge `github/{base}` into it and resolve the conflicts, so that what both "
        "sides meant to do still works. Then check that it does."
    )
