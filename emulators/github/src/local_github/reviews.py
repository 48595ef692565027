"""Reviews of a pull request and comments on its lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_github.diff_hunks import up_to_line
from local_github.documents import pulls
from local_github.errors import InvalidError
from local_github.events import emit
from local_github.limits import check_body
from local_github.storage import Row, now

if TYPE_CHECKING:
    from local_github.history import FileChange
    from local_github.site import Acting, Repository

_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@dataclass(frozen=True)
class LineComment:
    """A comment on a line of a file (None: on the file) as it stands on one side of the diff."""

    path: str
    body: str
    line: int | None
    side: str
    in_reply_to: int | None


def submit(acting: Acting, pull: Row, *, event: str, body: str, comments: list[LineComment]) -> Row:
    """Submit a review and announce it, then each of its comments.

    Raises:
        InvalidError: the event is unknown, a text is missing or too long, authors judge their own work, or a
            comment names a file the pull request does not change, or a line its diff does not show.
    """
    if event not in _STATES:
        raise InvalidError.of("PullRequestReview", "invalid", field="event")
    check_body("PullRequestReview", body, required=event == "REQUEST_CHANGES" or not (comments or event == "APPROVE"))
    if event != "COMMENT" and acting.login == pull["author"]:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise InvalidError(f"Can not {verb} your own pull request")
    hunks = [_hunk(acting.repo, pull, comment) for comment in comments]
    review = _insert_review(acting, pull, _STATES[event], body)
    for comment, hunk in zip(comments, hunks, strict=True):
        _insert_comment(acting, pull, review, comment, hunk)
    return review


def comment(acting: Acting, pull: Row, line_comment: LineComment) -> Row:
    """Comment on a line in a review that is nothing else, and announce both.

    Raises:
        InvalidError: the text is missing or too long, or the pull request does not change the file.
    """
    hunk = _hunk(acting.repo, pull, line_comment)
    review = _insert_review(acting, pull, "COMMENTED", "")
    return _insert_comment(acting, pull, review, line_comment, hunk)


def reply(acting: Acting, pull: Row, answered: Row, body: str) -> Row:
    """Answer a comment on a line, in a review that is nothing else, and announce both.

    Raises:
        InvalidError: the text is missing or too long, or the comment is an answer itself.
    """
    if answered["in_reply_to_id"]:
        raise InvalidError.of("PullRequestReviewComment", "invalid", field="in_reply_to")
    check_body("PullRequestReviewComment", body, required=True)
    review = _insert_review(acting, pull, "COMMENTED", "")
    line_comment = LineComment(answered["path"], body, answered["line"], answered["side"], answered["id"])
    return _insert_comment(acting, pull, review, line_comment, answered["diff_hunk"])


def edit_review(acting: Acting, pull: Row, review: Row, body: str) -> Row:
    """Change a review's own text and announce it.

    Raises:
        InvalidError: the text is missing or too long.
    """
    check_body("PullRequestReview", body, required=True)
    changed = acting.site.storage.update("reviews", review["id"], body=body)
    _announce(acting, "edited", pull, changed, changes={"body": {"from": review["body"]}})
    return changed


def edit_comment(acting: Acting, pull: Row, comment: Row, body: str) -> Row:
    """Change the text of a comment on a line and announce it.

    Raises:
        InvalidError: the text is missing or too long.
    """
    check_body("PullRequestReviewComment", body, required=True)
    changed = acting.site.storage.update("review_comments", comment["id"], body=body, updated_at=now())
    _announce_comment(acting, "edited", pull, changed, changes={"body": {"from": comment["body"]}})
    return changed


def delete_comment(acting: Acting, pull: Row, comment: Row) -> None:
    """Remove a comment on a line and announce it."""
    _announce_comment(acting, "deleted", pull, comment)
    acting.site.storage.all("DELETE FROM reactions WHERE subject = 'review_comment' AND subject_id = ?", comment["id"])
    acting.site.storage.delete("review_comments", comment["id"])


def _announce(acting: Acting, action: str, pull: Row, review: Row, **extra: Any) -> None:  # noqa: ANN401 - JSON
    document = pulls.review_event(acting.site, acting.repo, review)
    parent = pulls.simple_pull(acting.site, acting.repo, pull)
    emit(acting, "pull_request_review", action=action, review=document, pull_request=parent, **extra)


def _announce_comment(acting: Acting, action: str, pull: Row, comment: Row, **extra: Any) -> None:  # noqa: ANN401 - JSON
    document = pulls.review_comment(acting.site, acting.repo, comment)
    parent = pulls.simple_pull(acting.site, acting.repo, pull)
    emit(acting, "pull_request_review_comment", action=action, comment=document, pull_request=parent, **extra)


def _hunk(repo: Repository, pull: Row, line_comment: LineComment) -> str:
    """Return the part of the diff that ends with the line commented on, for readers of the comment alone."""
    check_body("PullRequestReviewComment", line_comment.body, required=True)
    for change in pulls.changes(repo, pull):
        if change.path == line_comment.path:
            return _hunk_of(change, line_comment)
    raise InvalidError.of("PullRequestReviewComment", "invalid", field="path")


def _hunk_of(change: FileChange, line_comment: LineComment) -> str:
    if line_comment.line is None:
        return change.patch or ""
    hunk = up_to_line(change.patch or "", line_comment.line, line_comment.side)
    if hunk is None:
        field = "pull_request_review_thread.line"
        message = f"{field} must be part of the diff"
        raise InvalidError.of("PullRequestReviewComment", "custom", field=field, message=message)
    return hunk


def _insert_review(acting: Acting, pull: Row, state: str, body: str) -> Row:
    site, repo = acting.site, acting.repo
    review = site.storage.insert(
        "reviews",
        issue_id=pull["id"],
        author=acting.login,
        body=body,
        state=state,
        commit_id=pulls.head_sha(repo, pull),
        submitted_at=now(),
    )
    _announce(acting, "submitted", pull, review)
    return review


def _insert_comment(acting: Acting, pull: Row, review: Row, line_comment: LineComment, hunk: str) -> Row:
    site, repo = acting.site, acting.repo
    row = site.storage.insert(
        "review_comments",
        repository_id=repo.id,
        issue_id=pull["id"],
        review_id=review["id"],
        author=review["author"],
        body=line_comment.body,
        path=line_comment.path,
        commit_id=review["commit_id"],
        line=line_comment.line,
        side=line_comment.side,
        diff_hunk=hunk,
        in_reply_to_id=line_comment.in_reply_to,
        created_at=review["submitted_at"],
        updated_at=review["submitted_at"],
    )
    _announce_comment(acting, "created", pull, row)
    return row
