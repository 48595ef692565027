"""Reactions: of one person, once, to an issue, a comment, a review or a comment of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_github.errors import InvalidError
from local_github.storage import Row, now

if TYPE_CHECKING:
    from local_github.site import Acting

CONTENTS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def react(acting: Acting, subject: str, subject_id: int, content: str) -> tuple[Row, bool]:
    """React, and return the reaction and whether it is new: the same one again changes nothing.

    Raises:
        InvalidError: `content` is none of CONTENTS.
    """
    if content not in CONTENTS:
        raise InvalidError.of("Reaction", "invalid", field="content")
    storage = acting.site.storage
    sql = "SELECT * FROM reactions WHERE subject = ? AND subject_id = ? AND author = ? AND content = ?"
    if existing := storage.one(sql, subject, subject_id, acting.login, content):
        return existing, False
    row = storage.insert(
        "reactions", subject=subject, subject_id=subject_id, author=acting.login, content=content, created_at=now()
    )
    return row, True
