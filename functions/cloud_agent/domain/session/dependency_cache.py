"""Whose installed dependencies a session may restore, and for whom it may leave its own.

They are code that later sessions run. So what Claude can have touched, or what a branch brought, stays with its branch;
what all of a repository's sessions share was installed from the default branch's files, before Claude's first change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent.domain.session.agent_reports import DependencyArchive
    from cloud_agent.domain.session.session import Session

_PREFIX = "cache"


@dataclass(frozen=True)
class ArchivePlace:
    """Where an archive is kept. Repository and branch are the session's own; a container chooses `key` alone."""

    repository_id: int
    scope: str
    key: str

    @property
    def object_key(self) -> str:
        """The object's key in the bucket."""
        return f"{_PREFIX}/{self.repository_id}/{self.scope}/{self.key}.tar.zst"


def places_to_read(session: Session, key: str) -> tuple[ArchivePlace, ...]:
    """Return where a session's archive can be: the repository's own, then that of its branch."""
    return _shared(session, key), _of_branch(session, key)


def place_to_write(session: Session, archive: DependencyArchive) -> ArchivePlace:
    """Return where a session's archive belongs.

    The repository's sessions share what was made of the branch's initial commit, which has the default branch's files,
    and before Claude's first change. All else is the branch's.
    """
    is_default_branch = archive.head_sha == session.initial_sha
    is_shared = is_default_branch and archive.before_claude
    return _shared(session, archive.key) if is_shared else _of_branch(session, archive.key)


def _shared(session: Session, key: str) -> ArchivePlace:
    return ArchivePlace(session.repository_id, "default", key)


def _of_branch(session: Session, key: str) -> ArchivePlace:
    return ArchivePlace(session.repository_id, f"branches/{session.branch}", key)
