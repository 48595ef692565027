"""GitHub's documents of a review in GraphQL, as far as they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field

from cloud_agent.adapters.github.documents import Document
from cloud_agent.domain.conversation.reviews import Review, ReviewComment

if TYPE_CHECKING:
    from collections.abc import Iterable


class FirstComment(Document):
    """The comment that a thread begins with."""

    number: int = Field(alias="fullDatabaseId")


class ReviewCommentNode(Document):
    """A comment on lines. REST and webhooks know it by its `fullDatabaseId`."""

    id: str
    number: int = Field(alias="fullDatabaseId")
    url: str
    body: str
    path: str
    line: int | None
    original_line: int | None = Field(alias="originalLine")
    start_line: int | None = Field(alias="startLine")
    diff_hunk: str = Field(alias="diffHunk")
    reply_to: FirstComment | None = Field(alias="replyTo")

    def described(self) -> ReviewComment:
        """Return the comment."""
        return ReviewComment(
            id=self.number,
            node_id=self.id,
            url=self.url,
            body=self.body,
            path=self.path,
            diff_hunk=self.diff_hunk,
            line=self.line,
            original_line=self.original_line,
            start_line=self.start_line,
            in_reply_to=self.reply_to.number if self.reply_to else None,
        )


class PageInfo(Document):
    """Where the next page begins, if there is one."""

    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: str | None = Field(alias="endCursor")


class ReviewCommentsPage(Document):
    """A page of a review's comments."""

    nodes: list[ReviewCommentNode]
    page_info: PageInfo = Field(alias="pageInfo")

    @property
    def following(self) -> str | None:
        """What to ask for the next page with; None on the last one."""
        return self.page_info.end_cursor if self.page_info.has_next_page else None


class ReviewNode(Document):
    """A review, with a page of its comments. One that isn't submitted yet has no time."""

    id: str
    number: int = Field(alias="fullDatabaseId")
    url: str
    state: str
    body: str
    submitted_at: AwareDatetime | None = Field(alias="submittedAt")
    comments: ReviewCommentsPage

    def described(self, comments: Iterable[ReviewComment]) -> Review | None:
        """Return the review with all of its comments; None while nobody but its author sees it."""
        if self.submitted_at is None:
            return None
        return Review(
            id=self.number,
            node_id=self.id,
            url=self.url,
            state=self.state.lower(),
            body=self.body,
            at=self.submitted_at,
            comments=tuple(comments),
        )


class ReviewOfComment(Document):
    """A comment, as far as the review that it belongs to."""

    review: ReviewNode | None = Field(alias="pullRequestReview")


class ReviewedData(Document):
    """The review or comment that was asked for."""

    node: ReviewNode | ReviewOfComment | None

    @property
    def review(self) -> ReviewNode | None:
        """The review, whichever was asked for."""
        return self.node.review if isinstance(self.node, ReviewOfComment) else self.node


class ReviewedDocument(Document):
    """GraphQL's response with it."""

    data: ReviewedData
