"""What a session's copy of a repository lacks, by name.

Nobody is to take an empty folder or a pointer for the repository's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMES_LIMIT = 5
_NAME_LENGTH = 100


class WhyNot(StrEnum):
    """Why a submodule isn't there, as people read it behind its path."""

    UNNAMED = "not in `.gitmodules`"
    ADDRESS = "its address isn't for HTTPS"
    SIGN_IN = "private or deleted: a session can read no other private repository"
    NO_COMMIT = "its repository doesn't have the commit"
    UNREACHABLE = "its repository couldn't be reached"
    TOO_LATE = "too many or too large to be fetched in time"


@dataclass(frozen=True)
class LeftOut:
    """Paths of submodules, each with the reason, and of Git LFS's pointers in place of content."""

    submodules: Mapping[str, WhyNot] = field(default_factory=dict)
    pointers: Sequence[str] = ()

    def besides(self, other: LeftOut) -> LeftOut:
        """Return what this has and `other` doesn't."""
        return LeftOut(
            {path: why for path, why in self.submodules.items() if path not in other.submodules},
            [path for path in self.pointers if path not in other.pointers],
        )

    @property
    def for_claude(self) -> str:
        """Sentences for Claude; empty if nothing is left out."""
        sentences = []
        if self.submodules:
            sentences.append(
                f"These submodules couldn't be fetched, so their folders are empty: {self._listed}. "
                "Put nothing into them and don't change which commit they're at."
            )
        if self.pointers:
            sentences.append(
                "The content of these files in Git LFS couldn't be fetched. In their place are pointers: "
                f"{names_of(self.pointers)}. Don't change them."
            )
        if sentences:
            sentences.append("If the task needs them, say so in your summary.")
        return " ".join(sentences)

    @property
    def for_people(self) -> str:
        """A remark for people; empty if nothing is left out."""
        missing = []
        if self.submodules:
            missing.append(f"submodules: {self._listed}")
        if self.pointers:
            missing.append(f"the content of files in Git LFS: {names_of(self.pointers)}")
        return f"(This session doesn't have {'; nor '.join(missing)}.)" if missing else ""

    @property
    def _listed(self) -> str:
        """The submodules, by why they aren't there."""
        paths = {why: [path for path, reason in self.submodules.items() if reason == why] for why in WhyNot}
        return "; ".join(f"{names_of(some)} ({why})" for why, some in paths.items() if some)


def names_of(paths: Sequence[str]) -> str:
    """Return the first few paths, which the repository's authors chose, as code and nothing else."""
    shown = ", ".join(f"`{re.sub(r'[^!-_a-~ ]', '?', path)[:_NAME_LENGTH]}`" for path in paths[:_NAMES_LIMIT])
    more = len(paths) - _NAMES_LIMIT
    return f"{shown} and {more} more" if more > 0 else shown
