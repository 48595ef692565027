"""Issues, comments, labels and reactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_github import pull_requests, tracker
from local_github.actors import Actor, Installation, Person
from local_github.documents import issues
from local_github.errors import ForbiddenError, InvalidError
from local_github.permissions import at_least, reading, role, writing
from local_github.reactions import react
from local_github.rest import Reply, RepositoryCall, found, repository_route

if TYPE_CHECKING:
    from local_github.storage import Row

# A pull request is an issue too: either permission opens what both have.
_READING = reading("issues", "pull_requests")
_WRITING = writing("issues", "pull_requests", person="triage")
# What everybody who can read may do; their own texts they may change as well.
_TAKING_PART = writing("issues", "pull_requests", person="read")
_OPENING = writing("issues", person="read")
_SUBJECTS = {"comment": "comments", "review_comment": "review_comments"}


def _issue(call: RepositoryCall) -> Row:
    return tracker.find_issue(call.site, call.repo, call.path["number"])


def _issue_document(call: RepositoryCall, row: Row) -> dict[str, Any]:
    return issues.issue(call.site, call.repo, row)


def _has_role(call: RepositoryCall, wanted: str) -> bool:
    actor: Actor = call.actor
    if isinstance(actor, Installation):
        return True
    return isinstance(actor, Person) and at_least(role(call.site, call.repo, actor.login), wanted)


def _require_author_or(call: RepositoryCall, wanted: str, author: str) -> None:
    if not _has_role(call, wanted) and author != call.actor.login:
        raise ForbiddenError("Must have admin rights to Repository.")


def _list_issues(call: RepositoryCall) -> Reply:
    state, wanted = call.query.get("state", "open"), call.query.get("labels", "")
    order = "ASC" if call.query.get("direction") == "asc" else "DESC"
    rows = call.storage.all(
        f"SELECT * FROM issues WHERE repository_id = ? AND ? IN ('all', state) ORDER BY number {order}",  # noqa: S608 - ASC or DESC
        call.repo.id,
        state,
    )
    names = {name.strip().lower() for name in wanted.split(",") if name.strip()}
    creator, since = call.query.get("creator"), call.query.get("since", "")
    matching = [
        row
        for row in rows
        if names <= {label["name"].lower() for label in (tracker.attached_labels(call.site, row) if names else [])}
        and creator in {None, row["author"]}
        and row["updated_at"] >= since
    ]
    return call.page(matching, lambda row: _issue_document(call, row))


def _create_issue(call: RepositoryCall) -> Reply:
    """Open an issue. Labels of one who may not label are silently left out, as GitHub does."""
    labels = _label_names(call.items("labels", []))
    title, body = call.text("title"), call.text("body", None)
    row = tracker.open_issue(
        call.acting,
        title=title,
        body=body,
        labels=labels if _has_role(call, "triage") else [],
    )
    document = _issue_document(call, row)
    return Reply(document, 201, {"Location": document["url"]})


def _get_issue(call: RepositoryCall) -> Reply:
    return Reply(_issue_document(call, _issue(call)))


def _edit_issue(call: RepositoryCall) -> Reply:
    row = _issue(call)
    _require_author_or(call, "triage", row["author"])
    labels = _label_names(call.items("labels")) if call.has("labels") else None
    edit = tracker.Edit(
        title=call.text("title", row["title"]),
        body=call.text("body", None) if call.has("body") else row["body"],
        state=call.text("state", row["state"]),
        state_reason=call.text("state_reason", None),
    )
    row = pull_requests.edit(call.acting, row, edit)
    if labels is not None and _has_role(call, "triage"):
        tracker.set_labels(call.acting, row, labels)
    return Reply(_issue_document(call, row))


# labels


def _label_names(items: list[Any]) -> list[str]:
    names = [item.get("name") if isinstance(item, dict) else item for item in items]
    words = [name for name in names if isinstance(name, str)]
    if len(words) < len(names):
        raise InvalidError.of("Label", "invalid", field="labels")
    return words


def _named_labels(call: RepositoryCall) -> list[str]:
    """Return the names in a body that is {"labels": [...]} or, as older clients send it, the list itself."""
    return _label_names(call.body if isinstance(call.body, list) else call.items("labels", []))


def _attached(call: RepositoryCall, row: Row) -> Reply:
    return Reply(issues.labels(call.site, call.repo, row["id"]))


def _list_issue_labels(call: RepositoryCall) -> Reply:
    return call.page(issues.labels(call.site, call.repo, _issue(call)["id"]), lambda label: label)


def _add_issue_labels(call: RepositoryCall) -> Reply:
    row = _issue(call)
    tracker.add_labels(call.acting, row, _named_labels(call))
    return _attached(call, row)


def _set_issue_labels(call: RepositoryCall) -> Reply:
    row = _issue(call)
    tracker.set_labels(call.acting, row, _named_labels(call))
    return _attached(call, row)


def _clear_issue_labels(call: RepositoryCall) -> Reply:
    tracker.set_labels(call.acting, _issue(call), [])
    return Reply(None, 204)


def _remove_issue_label(call: RepositoryCall) -> Reply:
    row = _issue(call)
    tracker.remove_label(call.acting, row, call.path["name"])
    return _attached(call, row)


def _label(call: RepositoryCall) -> Row:
    row: Row = found(tracker.find_label(call.site, call.repo, call.path["name"]))
    return row


def _list_labels(call: RepositoryCall) -> Reply:
    rows = call.storage.all("SELECT * FROM labels WHERE repository_id = ? ORDER BY name", call.repo.id)
    return call.page(rows, lambda row: issues.label(call.repo, row))


def _create_label(call: RepositoryCall) -> Reply:
    name, color = call.text("name"), call.text("color", "ededed")
    row = tracker.create_label(call.site, call.repo, name, color.lstrip("#"), call.text("description", None))
    document = issues.label(call.repo, row)
    return Reply(document, 201, {"Location": document["url"]})


def _get_label(call: RepositoryCall) -> Reply:
    return Reply(issues.label(call.repo, _label(call)))


def _delete_label(call: RepositoryCall) -> Reply:
    row = _label(call)
    call.storage.all("DELETE FROM issue_labels WHERE label_id = ?", row["id"])
    call.storage.delete("labels", row["id"])
    return Reply(None, 204)


# comments


def _comment(call: RepositoryCall) -> Row:
    sql = "SELECT * FROM comments WHERE id = ? AND repository_id = ?"
    row: Row = found(call.storage.one(sql, call.path["comment_id"], call.repo.id))
    return row


def _list_comments(call: RepositoryCall) -> Reply:
    sql = "SELECT * FROM comments WHERE issue_id = ? AND updated_at >= ? ORDER BY id"
    rows = call.storage.all(sql, _issue(call)["id"], call.query.get("since", ""))
    return call.page(rows, lambda row: issues.comment(call.site, call.repo, row))


def _list_repository_comments(call: RepositoryCall) -> Reply:
    rows = call.storage.all("SELECT * FROM comments WHERE repository_id = ? ORDER BY id", call.repo.id)
    return call.page(rows, lambda row: issues.comment(call.site, call.repo, row))


def _create_comment(call: RepositoryCall) -> Reply:
    row = tracker.add_comment(call.acting, _issue(call), call.text("body"))
    document = issues.comment(call.site, call.repo, row)
    return Reply(document, 201, {"Location": document["url"]})


def _get_comment(call: RepositoryCall) -> Reply:
    return Reply(issues.comment(call.site, call.repo, _comment(call)))


def _edit_comment(call: RepositoryCall) -> Reply:
    comment = _comment(call)
    _require_author_or(call, "write", comment["author"])
    changed = tracker.edit_comment(call.acting, comment, call.text("body"))
    return Reply(issues.comment(call.site, call.repo, changed))


def _delete_comment(call: RepositoryCall) -> Reply:
    comment = _comment(call)
    _require_author_or(call, "write", comment["author"])
    tracker.delete_comment(call.acting, comment)
    return Reply(None, 204)


# reactions


def _subject(call: RepositoryCall) -> tuple[str, int]:
    """Return what is reacted to: the kind in the address, and its id, once it is known to exist."""
    if "number" in call.path:
        return "issue", _issue(call)["id"]
    kind = "review_comment" if "review_comment_id" in call.path else "comment"
    sql = f"SELECT id FROM {_SUBJECTS[kind]} WHERE id = ? AND repository_id = ?"  # noqa: S608 - one of two tables
    return kind, found(call.storage.one(sql, call.path[f"{kind}_id"], call.repo.id))["id"]


def _list_reactions(call: RepositoryCall) -> Reply:
    sql = "SELECT * FROM reactions WHERE subject = ? AND subject_id = ? ORDER BY id"
    return call.page(call.storage.all(sql, *_subject(call)), lambda row: issues.reaction(call.site, row))


def _create_reaction(call: RepositoryCall) -> Reply:
    """React once; the same reaction again is 200 and changes nothing."""
    row, is_new = react(call.acting, *_subject(call), call.text("content"))
    return Reply(issues.reaction(call.site, row), 201 if is_new else 200)


def _delete_reaction(call: RepositoryCall) -> Reply:
    sql = "SELECT * FROM reactions WHERE id = ? AND subject = ? AND subject_id = ?"
    row = found(call.storage.one(sql, call.path["reaction_id"], *_subject(call)))
    _require_author_or(call, "admin", row["author"])
    call.storage.delete("reactions", row["id"])
    return Reply(None, 204)


_REACTION_PATHS = (
    "/issues/{number:int}/reactions",
    "/issues/comments/{comment_id:int}/reactions",
    "/pulls/comments/{review_comment_id:int}/reactions",
)
_ISSUE, _COMMENT = "/issues/{number:int}", "/issues/comments/{comment_id:int}"
ROUTES = [
    repository_route("GET", "/issues", _list_issues, _READING),
    repository_route("POST", "/issues", _create_issue, _OPENING),
    repository_route("GET", _ISSUE, _get_issue, _READING),
    repository_route("PATCH", _ISSUE, _edit_issue, _TAKING_PART),
    repository_route("GET", f"{_ISSUE}/labels", _list_issue_labels, _READING),
    repository_route("POST", f"{_ISSUE}/labels", _add_issue_labels, _WRITING),
    repository_route("PUT", f"{_ISSUE}/labels", _set_issue_labels, _WRITING),
    repository_route("DELETE", f"{_ISSUE}/labels", _clear_issue_labels, _WRITING),
    repository_route("DELETE", f"{_ISSUE}/labels/{{name:path}}", _remove_issue_label, _WRITING),
    repository_route("GET", "/labels", _list_labels, _READING),
    repository_route("POST", "/labels", _create_label, _WRITING),
    repository_route("GET", "/labels/{name:path}", _get_label, _READING),
    repository_route("DELETE", "/labels/{name:path}", _delete_label, _WRITING),
    repository_route("GET", f"{_ISSUE}/comments", _list_comments, _READING),
    repository_route("POST", f"{_ISSUE}/comments", _create_comment, _TAKING_PART),
    repository_route("GET", "/issues/comments", _list_repository_comments, _READING),
    repository_route("GET", _COMMENT, _get_comment, _READING),
    repository_route("PATCH", _COMMENT, _edit_comment, _TAKING_PART),
    repository_route("DELETE", _COMMENT, _delete_comment, _TAKING_PART),
    *[repository_route("GET", path, _list_reactions, _READING) for path in _REACTION_PATHS],
    *[repository_route("POST", path, _create_reaction, _TAKING_PART) for path in _REACTION_PATHS],
    *[
        repository_route("DELETE", f"{path}/{{reaction_id:int}}", _delete_reaction, _TAKING_PART)
        for path in _REACTION_PATHS
    ],
]
