"""A comment on a pull request or its issue, read for its session: whose counts at all, its commands and its prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.commands import NOTHING, read_commands
from cloud_agent.domain.conversation.comments import Comment
from cloud_agent.domain.conversation.hidden_text import as_shown
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind, follow_up_id
from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX
from cloud_agent.domain.session.session import timestamp
from cloud_agent.webhook.decisions import CommentEdit, Ignore, Origin, Review, ReviewEdit, Steer
from cloud_agent.webhook.events import CommentedIssue

if TYPE_CHECKING:
    from cloud_agent.webhook.events import (
        Account,
        IssueCommented,
        OpenOrClosedPullRequest,
        PullRequestReviewCommented,
        PullRequestReviewed,
        SteeringEvent,
    )

OF_NO_REVIEW = Ignore("the comment belongs to no review, as only those from before 2016 do")
OWN = Ignore("this system wrote the comment itself")


def of_comment(event: IssueCommented) -> Steer | Ignore:
    """Read a comment on the pull request as a whole, or on its issue."""
    comment = event.comment
    origin = _origin(event, event.issue, comment.body)
    if isinstance(origin, Ignore):
        return origin
    written = Comment(comment.id, comment.node_id, comment.html_url, comment.body or "", comment.created_at)
    return read_comment(origin, written)


def read_comment(origin: Origin, comment: Comment) -> Steer | Ignore:
    """Read a comment's text."""
    shown = as_shown(comment.body)
    reading = read_commands(shown.text)
    if reading == NOTHING:
        return Ignore("the comment is empty")
    prompt = Prompt(
        id=follow_up_id(PromptKind.COMMENT, comment.id, comment.at),
        kind=PromptKind.COMMENT,
        body=reading.text,
        author=origin.author,
        requested_by=origin.author,
        requested_by_id=origin.author_id,
        url=comment.url,
        created_at=timestamp(comment.at),
        left_out=shown.left_out,
        comment_id=comment.id,
        node_ids=(comment.node_id,),
    )
    return Steer(
        origin=origin,
        identity=f"{origin.repository.id}#issue_comment-{comment.id}",
        id=prompt.id,
        url=prompt.url,
        node_ids=(comment.node_id,),
        at=comment.at,
        prompts=(prompt,) if prompt.body else (),
        commands=reading.commands,
        unknown_commands=reading.unknown,
        model=reading.model,
    )


def of_review(event: PullRequestReviewed) -> Review | Ignore:
    """Ask for the review to be read."""
    return _review(event, event.review.id, event.review.node_id, event.review.body)


def of_review_comment(event: PullRequestReviewCommented) -> Review | Ignore:
    """Ask for the review that a comment on lines of the changes belongs to, if only to it alone, to be read."""
    comment = event.comment
    if comment.pull_request_review_id is None:
        return OF_NO_REVIEW
    return _review(event, comment.pull_request_review_id, comment.node_id, comment.body)


def of_edited_comment(event: IssueCommented) -> CommentEdit | Ignore:
    """Ask for the comment to be read again, as it is now, if it still is."""
    comment = event.comment
    origin = _origin(event, event.issue, comment.body)
    if isinstance(origin, Ignore):
        return origin
    prompt_id = follow_up_id(PromptKind.COMMENT, comment.id, comment.created_at)
    return CommentEdit(origin, _is_by(comment.user, origin), comment.id, prompt_id, comment.created_at)


def of_edited_review(event: PullRequestReviewed) -> ReviewEdit | Ignore:
    """Ask for the review to be read again."""
    review = event.review
    origin = _origin(event, event.pull_request, review.body)
    if isinstance(origin, Ignore):
        return origin
    return ReviewEdit(origin, _is_by(review.user, origin), review.id, review.node_id)


def of_edited_review_comment(event: PullRequestReviewCommented) -> ReviewEdit | Ignore:
    """Ask for the comment's review to be read again."""
    return _edited_review(event, event.comment.node_id)


def of_deleted_review_comment(event: PullRequestReviewCommented) -> ReviewEdit | Ignore:
    """As with an edited one, but GraphQL has nothing by the comment's name any more."""
    return _edited_review(event, None)


def _edited_review(event: PullRequestReviewCommented, node_id: str | None) -> ReviewEdit | Ignore:
    comment = event.comment
    origin = _origin(event, event.pull_request, comment.body)
    if isinstance(origin, Ignore):
        return origin
    if comment.pull_request_review_id is None:
        return OF_NO_REVIEW
    return ReviewEdit(origin, _is_by(comment.user, origin), comment.pull_request_review_id, node_id)


def _is_by(author: Account | None, origin: Origin) -> bool:
    return author is not None and author.login == origin.author


def _review(
    event: PullRequestReviewed | PullRequestReviewCommented, review_id: int, node_id: str, body: str | None
) -> Review | Ignore:
    origin = _origin(event, event.pull_request, body)
    return origin if isinstance(origin, Ignore) else Review(origin, review_id, node_id)


def _origin(event: SteeringEvent, pull: CommentedIssue | OpenOrClosedPullRequest, body: str | None) -> Origin | Ignore:
    """Return where the text was written, or why its author doesn't count."""
    if is_own(body or ""):
        return OWN
    if event.sender is None:
        return Ignore("the comment's author has no account any more")
    if event.sender.is_bot:
        return Ignore("a session is steered by people, and the sender is a bot")
    return Origin(
        repository=event.home,
        default_branch=event.repository.default_branch,
        number=pull.number,
        is_open=pull.state == "open",
        author=event.sender.login,
        is_issue=isinstance(pull, CommentedIssue) and pull.pull_request is None,
        author_id=event.sender.id,
    )


def is_own(body: str) -> bool:
    """Whether this system wrote the text."""
    return body.lstrip().startswith(OWN_PREFIX)
