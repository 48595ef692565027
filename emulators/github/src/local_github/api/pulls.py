"""Pull requests, their commits and files, reviews and review comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_github import pull_requests, reviews, tracker
from local_github.documents import commits, pulls
from local_github.errors import InvalidError
from local_github.permissions import authorize, reading, writing
from local_github.rest import Reply, RepositoryCall, found, repository_route

if TYPE_CHECKING:
    from local_github.storage import Row

_READING, _WRITING = reading("pull_requests"), writing("pull_requests")
_OPENING = writing("pull_requests", person="read")
_MERGING = writing("contents")


def _pull(call: RepositoryCall) -> Row:
    return pull_requests.find_pull(call.site, call.repo, call.path["number"])


def _document(call: RepositoryCall, row: Row) -> dict[str, Any]:
    return pulls.pull(call.site, call.repo, row)


def _list_pulls(call: RepositoryCall) -> Reply:
    order = "ASC" if call.query.get("direction") == "asc" else "DESC"
    rows = call.storage.all(
        "SELECT * FROM issues WHERE repository_id = ? AND head IS NOT NULL AND ? IN ('all', state) "  # noqa: S608 - ASC or DESC
        f"ORDER BY number {order}",
        call.repo.id,
        call.query.get("state", "open"),
    )
    owner, colon, branch = call.query.get("head", "").rpartition(":")
    head = branch if colon and owner.lower() == call.repo.owner.lower() else None
    base = call.query.get("base")
    if colon:
        rows = [row for row in rows if row["head"] == head]
    if base:
        rows = [row for row in rows if row["base"] == base]
    return call.page(rows, lambda row: pulls.simple_pull(call.site, call.repo, row))


def _create_pull(call: RepositoryCall) -> Reply:
    proposal = pull_requests.Proposal(
        title=call.text("title"),
        body=call.text("body", None),
        head=call.text("head"),
        base=call.text("base"),
        draft=call.flag("draft", default=False),
    )
    row = pull_requests.open_pull(call.acting, proposal)
    document = _document(call, row)
    return Reply(document, 201, {"Location": document["url"]})


def _get_pull(call: RepositoryCall) -> Reply:
    return Reply(_document(call, _pull(call)))


def _edit_pull(call: RepositoryCall) -> Reply:
    row = _pull(call)
    title, state = call.text("title", row["title"]), call.text("state", row["state"])
    body = call.text("body", None) if call.has("body") else row["body"]
    base = call.text("base", row["base"])
    if base != row["base"]:
        row = pull_requests.change_base(call.acting, row, base)
    row = pull_requests.edit(call.acting, row, tracker.Edit(title, body, state))
    return Reply(_document(call, row))


def _list_pull_commits(call: RepositoryCall) -> Reply:
    sources = pulls.commits(call.repo, _pull(call))
    return call.page(sources, lambda source: commits.commit(call.site, call.repo, source))


def _list_pull_files(call: RepositoryCall) -> Reply:
    row = _pull(call)
    sha = pulls.head_sha(call.repo, row)
    return call.page(pulls.changes(call.repo, row), lambda change: commits.file_change(call.repo, sha, change))


def _is_merged(call: RepositoryCall) -> Reply:
    found(_pull(call)["merged_at"])
    return Reply(None, 204)


def _merge_pull(call: RepositoryCall) -> Reply:
    commit = pull_requests.MergeCommit(
        method=call.text("merge_method", "merge"),
        title=call.text("commit_title", None),
        message=call.text("commit_message", None),
    )
    sha = pull_requests.merge(call.acting, _pull(call), commit, expected_head=call.text("sha", None))
    return Reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _update_branch(call: RepositoryCall) -> Reply:
    row = _pull(call)
    pull_requests.update_branch(call.acting, row, expected_head=call.text("expected_head_sha", None))
    return Reply({"message": "Updating pull request branch.", "url": _document(call, row)["html_url"]}, 202)


# reviews


def _list_reviews(call: RepositoryCall) -> Reply:
    rows = call.storage.all("SELECT * FROM reviews WHERE issue_id = ? ORDER BY id", _pull(call)["id"])
    return call.page(rows, lambda row: pulls.review(call.site, call.repo, row))


def _create_review(call: RepositoryCall) -> Reply:
    """Submit a review with its comments; one without an `event` would be pending, which this GitHub has not."""
    comments = call.items("comments", [])
    if not all(isinstance(comment, dict) for comment in comments):
        raise InvalidError.of("PullRequestReview", "invalid", field="comments")
    row = reviews.submit(
        call.acting,
        _pull(call),
        event=call.text("event", "COMMENT"),
        body=call.text("body", ""),
        comments=[_line_comment(call, comment) for comment in comments],
    )
    return Reply(pulls.review(call.site, call.repo, row))


def _review(call: RepositoryCall) -> Row:
    sql = "SELECT * FROM reviews WHERE id = ? AND issue_id = ?"
    row: Row = found(call.storage.one(sql, call.path["review_id"], _pull(call)["id"]))
    return row


def _get_review(call: RepositoryCall) -> Reply:
    return Reply(pulls.review(call.site, call.repo, _review(call)))


def _edit_review(call: RepositoryCall) -> Reply:
    row = _review(call)
    _require_author_or_writer(call, row["author"])
    changed = reviews.edit_review(call.acting, _pull(call), row, call.text("body"))
    return Reply(pulls.review(call.site, call.repo, changed))


def _list_review_comments(call: RepositoryCall) -> Reply:
    rows = call.storage.all("SELECT * FROM review_comments WHERE issue_id = ? ORDER BY id", _pull(call)["id"])
    return call.page(rows, lambda row: pulls.review_comment(call.site, call.repo, row))


def _list_comments_of_review(call: RepositoryCall) -> Reply:
    rows = call.storage.all("SELECT * FROM review_comments WHERE review_id = ? ORDER BY id", _review(call)["id"])
    return call.page(rows, lambda row: pulls.review_comment(call.site, call.repo, row))


def _review_comment(call: RepositoryCall) -> Row:
    sql = "SELECT * FROM review_comments WHERE id = ? AND repository_id = ?"
    row: Row = found(call.storage.one(sql, call.path["comment_id"], call.repo.id))
    return row


def _get_review_comment(call: RepositoryCall) -> Reply:
    return Reply(pulls.review_comment(call.site, call.repo, _review_comment(call)))


def _edit_review_comment(call: RepositoryCall) -> Reply:
    row = _review_comment(call)
    _require_author_or_writer(call, row["author"])
    changed = reviews.edit_comment(call.acting, call.storage.get("issues", row["issue_id"]), row, call.text("body"))
    return Reply(pulls.review_comment(call.site, call.repo, changed))


def _delete_review_comment(call: RepositoryCall) -> Reply:
    row = _review_comment(call)
    _require_author_or_writer(call, row["author"])
    reviews.delete_comment(call.acting, call.storage.get("issues", row["issue_id"]), row)
    return Reply(None, 204)


def _require_author_or_writer(call: RepositoryCall, author: str) -> None:
    if call.actor.login != author:
        authorize(call.site, call.actor, call.repo, _WRITING)


def _create_review_comment(call: RepositoryCall) -> Reply:
    """Comment on a line, or (with `in_reply_to`) answer such a comment."""
    parent = call.value("in_reply_to", int, "an integer", None)
    if parent is not None:
        return _answer_comment(call, parent)
    return _commented(call, reviews.comment(call.acting, _pull(call), _line_comment(call, call.body)))


def _create_reply(call: RepositoryCall) -> Reply:
    return _answer_comment(call, call.path["comment_id"])


def _answer_comment(call: RepositoryCall, comment_id: int) -> Reply:
    pull, sql = _pull(call), "SELECT * FROM review_comments WHERE id = ? AND issue_id = ?"
    answered = found(call.storage.one(sql, comment_id, pull["id"]))
    return _commented(call, reviews.reply(call.acting, pull, answered, call.text("body")))


def _commented(call: RepositoryCall, row: Row) -> Reply:
    document = pulls.review_comment(call.site, call.repo, row)
    return Reply(document, 201, {"Location": document["url"]})


def _line_comment(call: RepositoryCall, given: dict[str, Any]) -> reviews.LineComment:
    part = RepositoryCall(call.site, call.actor, call.url, call.path, call.query, given, call.repo)
    line = part.value("line", int, "an integer", None)
    return reviews.LineComment(part.text("path"), part.text("body"), line, part.text("side", "RIGHT"), None)


_PULL = "/pulls/{number:int}"
ROUTES = [
    repository_route("GET", "/pulls", _list_pulls, _READING),
    repository_route("POST", "/pulls", _create_pull, _OPENING),
    repository_route("GET", _PULL, _get_pull, _READING),
    repository_route("PATCH", _PULL, _edit_pull, _WRITING),
    repository_route("GET", f"{_PULL}/commits", _list_pull_commits, _READING),
    repository_route("GET", f"{_PULL}/files", _list_pull_files, _READING),
    repository_route("GET", f"{_PULL}/merge", _is_merged, _READING),
    repository_route("PUT", f"{_PULL}/merge", _merge_pull, _MERGING),
    repository_route("PUT", f"{_PULL}/update-branch", _update_branch, _WRITING),
    repository_route("GET", f"{_PULL}/reviews", _list_reviews, _READING),
    repository_route("POST", f"{_PULL}/reviews", _create_review, _OPENING),
    repository_route("GET", f"{_PULL}/reviews/{{review_id:int}}", _get_review, _READING),
    repository_route("PUT", f"{_PULL}/reviews/{{review_id:int}}", _edit_review, _OPENING),
    repository_route("GET", f"{_PULL}/reviews/{{review_id:int}}/comments", _list_comments_of_review, _READING),
    repository_route("GET", f"{_PULL}/comments", _list_review_comments, _READING),
    repository_route("POST", f"{_PULL}/comments", _create_review_comment, _OPENING),
    repository_route("POST", f"{_PULL}/comments/{{comment_id:int}}/replies", _create_reply, _OPENING),
    repository_route("GET", "/pulls/comments/{comment_id:int}", _get_review_comment, _READING),
    repository_route("PATCH", "/pulls/comments/{comment_id:int}", _edit_review_comment, _OPENING),
    repository_route("DELETE", "/pulls/comments/{comment_id:int}", _delete_review_comment, _OPENING),
]
