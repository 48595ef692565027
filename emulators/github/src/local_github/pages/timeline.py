"""What people have written on an issue or pull request, in the order in which it was begun."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local_github.documents.issues import reaction_counts

if TYPE_CHECKING:
    from local_github.site import Site
    from local_github.storage import Row

_VERDICTS = {"APPROVED": "approved these changes", "CHANGES_REQUESTED": "requested changes", "COMMENTED": "reviewed"}
_EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤️",
    "rocket": "🚀",
    "eyes": "👀",
}


@dataclass(frozen=True)
class Entry:
    """A comment, a review's own words, or a thread on a line of the changes: `place` and `hunk` say which."""

    anchor: str
    author: str
    verb: str
    created_at: str
    body: str
    is_edited: bool = False
    reactions: str = ""
    place: str = ""
    hunk: str = ""
    replies: tuple[Entry, ...] = ()


def timeline(site: Site, issue: Row) -> list[Entry]:
    """Return every comment, review and thread of the issue or pull request."""
    entries = [_comment(site, row) for row in _rows(site, "comments", issue)]
    entries += [_review(row) for row in _rows(site, "reviews", issue) if row["body"] or row["state"] != "COMMENTED"]
    lines = _rows(site, "review_comments", issue)
    entries += [_thread(site, row, lines) for row in lines if row["in_reply_to_id"] is None]
    return sorted(entries, key=lambda entry: entry.created_at)


def _rows(site: Site, table: str, issue: Row) -> list[Row]:
    sql = f"SELECT * FROM {table} WHERE issue_id = ? ORDER BY id"  # noqa: S608 - one of three constants
    return site.storage.all(sql, issue["id"])


def _comment(site: Site, row: Row) -> Entry:
    return Entry(
        anchor=f"issuecomment-{row['id']}",
        author=row["author"],
        verb="commented",
        created_at=row["created_at"],
        body=row["body"],
        is_edited=row["updated_at"] != row["created_at"],
        reactions=_reactions(site, "comment", row["id"]),
    )


def _review(row: Row) -> Entry:
    return Entry(
        anchor=f"pullrequestreview-{row['id']}",
        author=row["author"],
        verb=_VERDICTS.get(row["state"], "reviewed"),
        created_at=row["submitted_at"],
        body=row["body"],
    )


def _thread(site: Site, first: Row, lines: list[Row]) -> Entry:
    return replace(
        _line_comment(site, first),
        place=first["path"] + (f", line {first['line']}" if first["line"] else ""),
        hunk=first["diff_hunk"],
        replies=tuple(_line_comment(site, row) for row in lines if row["in_reply_to_id"] == first["id"]),
    )


def _line_comment(site: Site, row: Row) -> Entry:
    return Entry(
        anchor=f"discussion_r{row['id']}",
        author=row["author"],
        verb="replied" if row["in_reply_to_id"] else "commented on",
        created_at=row["created_at"],
        body=row["body"],
        is_edited=row["updated_at"] != row["created_at"],
        reactions=_reactions(site, "review_comment", row["id"]),
    )


def _reactions(site: Site, subject: str, subject_id: int) -> str:
    """Each reaction with how often it was given, such as "👀 1"."""
    counts = reaction_counts(site, subject, subject_id, "")
    return "  ".join(f"{emoji} {counts[name]}" for name, emoji in _EMOJI.items() if counts[name])
