"""Issues, comments and labels: every change of them, whether by the API or on a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_github.documents import issues
from local_github.errors import InvalidError, NotFoundError
from local_github.events import emit, emit_issue_event
from local_github.limits import check_body, check_title
from local_github.storage import Row, now

if TYPE_CHECKING:
    from local_github.site import Acting, Repository, Site

_NEW_LABEL_COLOR = "ededed"  # GitHub's grey for a label made in passing
_COLOR = re.compile(r"[0-9a-fA-F]{6}")
_MOST_LABEL_CHARACTERS = 50


def find_issue(site: Site, repo: Repository, number: int) -> Row:
    """Return an issue or pull request.

    Raises:
        NotFoundError: the repository has none of that number.
    """
    row = site.storage.one("SELECT * FROM issues WHERE repository_id = ? AND number = ?", repo.id, number)
    if not row:
        raise NotFoundError
    return row


def next_number(site: Site, repo: Repository) -> int:
    """Return the number of the next issue or pull request, which count together."""
    row = site.storage.one("SELECT max(number) AS last FROM issues WHERE repository_id = ?", repo.id)
    return (row["last"] or 0) + 1 if row else 1


def open_issue(acting: Acting, *, title: str, body: str | None, labels: list[str]) -> Row:
    """Open an issue and announce it, then each of its labels.

    Raises:
        InvalidError: the title is blank or too long, or the body too long.
    """
    check_title("Issue", title)
    check_body("Issue", body)
    stamp = now()
    row = acting.site.storage.insert(
        "issues",
        repository_id=acting.repo.id,
        number=next_number(acting.site, acting.repo),
        title=title,
        body=body or None,
        author=acting.login,
        state="open",
        created_at=stamp,
        updated_at=stamp,
    )
    attached = attach_labels(acting.site, acting.repo, row, labels)
    emit_issue_event(acting, "opened", row)
    for label in attached:
        announce_label(acting, "labeled", row, label)
    return row


@dataclass(frozen=True)
class Edit:
    """What an issue or pull request shall be like; `state_reason` matters when an issue is closed by it."""

    title: str
    body: str | None
    state: str
    state_reason: str | None = None


def edit_issue(acting: Acting, row: Row, edit: Edit) -> Row:
    """Change an issue or pull request and announce what has changed: edited, closed, reopened.

    Raises:
        InvalidError: a text is too long or the title blank, or there is no such state.
    """
    check_title("Issue", edit.title)
    check_body("Issue", edit.body)
    if edit.state not in {"open", "closed"}:
        raise InvalidError.of("Issue", "invalid", field="state")
    texts = {"title": edit.title, "body": edit.body or None}
    changes = {name: {"from": row[name] or ""} for name, text in texts.items() if text != row[name]}
    if changes:
        row = acting.site.storage.update("issues", row["id"], **texts, updated_at=now())
        if "body" in changes:
            stamp = row["updated_at"]
            acting.site.storage.insert("body_edits", issue_id=row["id"], editor=acting.login, edited_at=stamp)
        emit_issue_event(acting, "edited", row, changes=changes)
    if edit.state != row["state"]:
        row = _set_state(acting, row, edit.state, edit.state_reason)
    return row


def _set_state(acting: Acting, row: Row, state: str, reason: str | None) -> Row:
    stamp = now()
    if state == "closed":
        reason = None if issues.is_pull(row) else reason or "completed"
        columns = {"closed_at": stamp, "closed_by": acting.login, "state_reason": reason}
    else:
        columns = {"closed_at": None, "closed_by": None, "state_reason": None if issues.is_pull(row) else "reopened"}
    row = acting.site.storage.update("issues", row["id"], state=state, updated_at=stamp, **columns)
    emit_issue_event(acting, "closed" if state == "closed" else "reopened", row)
    return row


# labels


def find_label(site: Site, repo: Repository, name: str) -> Row | None:
    """Return the repository's label of that name, upper and lower case being one, or None."""
    return site.storage.one("SELECT * FROM labels WHERE repository_id = ? AND name = ?", repo.id, name)


def create_label(
    site: Site, repo: Repository, name: str, color: str = _NEW_LABEL_COLOR, description: str | None = None
) -> Row:
    """Make a label.

    Raises:
        InvalidError: it exists, or its name or colour is none.
    """
    if not name.strip() or len(name) > _MOST_LABEL_CHARACTERS:
        raise InvalidError.of("Label", "invalid", field="name")
    if not _COLOR.fullmatch(color):
        raise InvalidError.of("Label", "invalid", field="color")
    if find_label(site, repo, name):
        raise InvalidError.of("Label", "already_exists", field="name")
    return site.storage.insert("labels", repository_id=repo.id, name=name, color=color, description=description)


def attached_labels(site: Site, row: Row) -> list[Row]:
    """Return the labels of an issue or pull request."""
    sql = "SELECT labels.* FROM labels JOIN issue_labels ON label_id = labels.id WHERE issue_id = ?"
    return site.storage.all(sql, row["id"])


def attach_labels(site: Site, repo: Repository, row: Row, names: list[str]) -> list[Row]:
    """Put labels on an issue, making those that do not exist, and return the ones it did not have; silently."""
    had = {label["id"] for label in attached_labels(site, row)}
    added = []
    for name in names:
        label = find_label(site, repo, name) or create_label(site, repo, name)
        if label["id"] not in had:
            site.storage.insert("issue_labels", issue_id=row["id"], label_id=label["id"])
            had.add(label["id"])
            added.append(label)
    return added


def add_labels(acting: Acting, row: Row, names: list[str]) -> None:
    """Put labels on an issue or pull request and announce each one that is new there."""
    for label in attach_labels(acting.site, acting.repo, row, names):
        announce_label(acting, "labeled", row, label)


def remove_label(acting: Acting, row: Row, name: str) -> None:
    """Take a label off an issue or pull request and announce it.

    Raises:
        NotFoundError: it has no such label.
    """
    label = find_label(acting.site, acting.repo, name)
    if not label or label["id"] not in {attached["id"] for attached in attached_labels(acting.site, row)}:
        raise NotFoundError("Label does not exist")
    acting.site.storage.all("DELETE FROM issue_labels WHERE issue_id = ? AND label_id = ?", row["id"], label["id"])
    announce_label(acting, "unlabeled", row, label)


def set_labels(acting: Acting, row: Row, names: list[str]) -> None:
    """Let an issue or pull request have these labels and no others, and announce the difference."""
    wanted = {name.lower() for name in names}
    for label in attached_labels(acting.site, row):
        if label["name"].lower() not in wanted:
            remove_label(acting, row, label["name"])
    add_labels(acting, row, names)


def announce_label(acting: Acting, action: str, row: Row, label: Row) -> None:
    """Say that an issue or pull request was `labeled` or `unlabeled`."""
    row = acting.site.storage.update("issues", row["id"], updated_at=now())
    emit_issue_event(acting, action, row, label=issues.label(acting.repo, label))


# comments


def add_comment(acting: Acting, row: Row, body: str) -> Row:
    """Comment on an issue or pull request and announce it.

    Raises:
        InvalidError: the body is blank or too long.
    """
    check_body("IssueComment", body, required=True)
    stamp = now()
    comment = acting.site.storage.insert(
        "comments",
        repository_id=acting.repo.id,
        issue_id=row["id"],
        author=acting.login,
        body=body,
        created_at=stamp,
        updated_at=stamp,
    )
    acting.site.storage.update("issues", row["id"], updated_at=stamp)
    announce_comment(acting, "created", comment)
    return comment


def edit_comment(acting: Acting, comment: Row, body: str) -> Row:
    """Change a comment's text and announce it.

    Raises:
        InvalidError: the body is blank or too long.
    """
    check_body("IssueComment", body, required=True)
    changed = acting.site.storage.update("comments", comment["id"], body=body, updated_at=now())
    announce_comment(acting, "edited", changed, changes={"body": {"from": comment["body"]}})
    return changed


def delete_comment(acting: Acting, comment: Row) -> None:
    """Remove a comment and announce it."""
    announce_comment(acting, "deleted", comment)
    acting.site.storage.all("DELETE FROM reactions WHERE subject = 'comment' AND subject_id = ?", comment["id"])
    acting.site.storage.delete("comments", comment["id"])


def announce_comment(acting: Acting, action: str, comment: Row, **extra: dict[str, dict[str, str]]) -> None:
    """Say that a comment was `created`, `edited` or `deleted`."""
    parent = issues.issue(acting.site, acting.repo, acting.site.storage.get("issues", comment["issue_id"]))
    document = issues.comment(acting.site, acting.repo, comment)
    emit(acting, "issue_comment", action=action, issue=parent, comment=document, **extra)
