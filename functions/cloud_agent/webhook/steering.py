"""A comment or review on a pull request, read for its session: whose counts at all, its commands and its prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.commands import NOTHING, read_commands
from cloud_agent.domain.conversation.hidden_text import as_shown
from cloud_agent.domain.conversation.messages import fenced
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind, follow_up_id
from cloud_agent.domain.conversation.untrusted_text import without_invisible
from cloud_agent.domain.session.session import timestamp
from cloud_agent.webhook.decisions import Ignore, Steer

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_agent.webhook.events import (
        Comment,
        IssueCommented,
        PullRequestReviewCommented,
        PullRequestReviewed,
        ReviewComment,
        SteeringEvent,
    )

HUNK_LIMIT = 4_000  # characters of the changes that a comment is on; the line in question stands last
OWN_PREFIX = "<!-- claude-cloud-agent:"  # what every comment of this system begins with, see messages.marker
_VERDICTS = {"approved": "The review approves the changes.", "changes_requested": "The review requests changes."}


@dataclass(frozen=True)
class _Message:
    """What comments, reviews and review comments have in common; `frame` goes before the prompt's own text."""

    kind: PromptKind
    id: int
    node_id: str
    url: str
    body: str
    at: datetime
    pull_number: int
    pull_state: str
    title: str = ""
    frame: str = ""


def of_comment(event: IssueCommented) -> Steer | Ignore:
    """Read a comment on the pull request as a whole."""
    if event.issue.pull_request is None:
        return Ignore("a session is steered by comments on its pull request, and this is an issue")
    return _steer(event, _comment(PromptKind.COMMENT, event.comment, event.issue.number, event.issue.state))


def of_review(event: PullRequestReviewed) -> Steer | Ignore:
    """Read a review's own text, after its verdict. Without a text it says nothing that its comments do not say."""
    review, pull = event.review, event.pull_request
    if not (review.body or "").strip():
        return Ignore("the review has no text of its own; its comments come by themselves")
    message = _Message(
        kind=PromptKind.REVIEW,
        id=review.id,
        node_id=review.node_id,
        url=review.html_url,
        body=review.body or "",
        at=review.submitted_at,
        pull_number=pull.number,
        pull_state=pull.state,
        frame=_VERDICTS.get(review.state.lower(), ""),
    )
    return _steer(event, message)


def of_review_comment(event: PullRequestReviewCommented) -> Steer | Ignore:
    """Read a comment on lines of the changes, with those lines."""
    comment, pull = event.comment, event.pull_request
    place = _place(comment)
    hunk = f"\n\n{fenced(comment.diff_hunk, HUNK_LIMIT)}" if comment.diff_hunk else ""
    message = _comment(
        PromptKind.REVIEW_COMMENT, comment, pull.number, pull.state, title=place, frame=f"On {place}:{hunk}"
    )
    return _steer(event, message)


def _comment(  # noqa: PLR0913 - by keyword where it is not plain
    kind: PromptKind, comment: Comment, pull_number: int, pull_state: str, *, title: str = "", frame: str = ""
) -> _Message:
    return _Message(
        kind=kind,
        id=comment.id,
        node_id=comment.node_id,
        url=comment.html_url,
        body=comment.body or "",
        at=comment.created_at,
        pull_number=pull_number,
        pull_state=pull_state,
        title=title,
        frame=frame,
    )


def _place(comment: ReviewComment) -> str:
    """Return the file and lines of a comment; of one on an outdated line, where it was written."""
    path, last = without_invisible(comment.path), comment.line or comment.original_line
    if last is None:
        return path
    if comment.line is None:
        return f"{path}, line {last} as it was then"
    if comment.start_line is not None and comment.start_line != last:
        return f"{path}, lines {comment.start_line} to {last}"
    return f"{path}, line {last}"


def _steer(event: SteeringEvent, message: _Message) -> Steer | Ignore:
    if message.body.lstrip().startswith(OWN_PREFIX):
        return Ignore("this system wrote the comment itself")
    if event.sender is None:
        return Ignore("the comment's author has no account any more")
    if event.sender.is_bot:
        return Ignore("a session is steered by people, and the sender is a bot")
    shown = as_shown(message.body)
    reading = read_commands(shown.text)
    if reading == NOTHING:
        return Ignore("the comment is empty")
    prompt = f"{message.frame}\n\n{reading.text}".strip("\n") if reading.text else ""
    return Steer(
        repo=event.repository.full_name,
        default_branch=event.repository.default_branch,
        installation_id=event.installation.id if event.installation else None,
        pull_number=message.pull_number,
        pull_is_open=message.pull_state == "open",
        identity=f"{event.repository.full_name}#{_EVENTS[message.kind]}-{message.id}",
        node_id=message.node_id,
        at=message.at,
        prompt=Prompt(
            id=follow_up_id(message.kind, message.id, message.at),
            kind=message.kind,
            title=message.title,
            body=prompt,
            author=event.sender.login,
            requested_by=event.sender.login,
            url=message.url,
            created_at=timestamp(message.at),
            left_out=shown.left_out,
            comment_id=message.id,
        ),
        commands=reading.commands,
        unknown_commands=reading.unknown,
    )


# GitHub counts comments, reviews and review comments apart, so the event belongs to the identity.
_EVENTS = {
    PromptKind.COMMENT: "issue_comment",
    PromptKind.REVIEW: "pull_request_review",
    PromptKind.REVIEW_COMMENT: "pull_request_review_comment",
}
