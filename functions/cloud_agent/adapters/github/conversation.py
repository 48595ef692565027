"""What people and the system say to each other on GitHub: issues, comments, reactions; and who may do what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from cloud_agent.adapters.github.documents import (
    AuthoredComments,
    CommentDocument,
    ListedComment,
    NodeId,
    Permission,
    Pull,
    WrittenComment,
)
from cloud_agent.adapters.github.issue import IssueResponse, reading, seeing
from cloud_agent.adapters.github.review_documents import ReviewedDocument
from cloud_agent.domain.conversation.branch_update import BranchUpdate
from cloud_agent.domain.errors import GitHubRequestError, GitHubUnavailableError, NodeNotFoundError
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.adapters.github.issue import Issue
    from cloud_agent.adapters.github.repository_requests import RepositoryRequests
    from cloud_agent.adapters.github.requests import Response
    from cloud_agent.adapters.github.review_documents import ReviewNode
    from cloud_agent.domain.conversation.comments import Comment
    from cloud_agent.domain.conversation.reviews import Review, ReviewComment

_MAY_WRITE = {"admin", "maintain", "write"}
_NOT_FOUND = frozenset({404})
_NOT_UPDATED = frozenset({403, 422})
_UNPROCESSABLE = frozenset({422})  # GitHub's response to a reply to a reply
_REVIEW = """\
query($subject: ID!, $after: String) {
  node(id: $subject) {
    ... on PullRequestReviewComment { pullRequestReview { ...review } }
    ... on PullRequestReview { ...review }
  }
}
fragment review on PullRequestReview {
  id fullDatabaseId url state body submittedAt
  comments(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id fullDatabaseId url body path line originalLine startLine diffHunk
      replyTo { fullDatabaseId }
    }
  }
}"""
# GitHub Docs, "GraphQL reference: Comment": "Did the viewer author this comment", the viewer being whose token it is.
_AUTHORED = """\
query($comments: [ID!]!) {
  nodes(ids: $comments) {
    ... on IssueComment { fullDatabaseId viewerDidAuthor }
    ... on PullRequestReviewComment { fullDatabaseId viewerDidAuthor }
  }
}"""
_MISSING = frozenset({"NOT_FOUND"})  # GraphQL's type of error for what is gone, and for a mention of nothing
_ADD_EYES = "addReaction(input: {subjectId: $%s, content: EYES}) { clientMutationId }"
_EDIT = "edit: updateIssueComment(input: {id: $comment, body: $body}) { clientMutationId }"


class Conversation:
    """The issues and pull requests of one repository. Raises as `connection.GitHub` does."""

    def __init__(self, requests: RepositoryRequests) -> None:
        self._requests = requests

    def has_write_permission(self, login: str) -> bool:
        """Whether this person may push to the repository now; one that GitHub does not know may not."""
        path = f"/collaborators/{quote(login, safe='')}/permission"
        response = self._requests.send("GET", path, expected=_NOT_FOUND)
        return response.status not in _NOT_FOUND and response.read(Permission).permission in _MAY_WRITE

    def issue(self, number: int, branch: str, mentions: Sequence[int], *, is_pull: bool = False) -> Issue | None:
        """Return the issue as it stands now, with what was said on it and on the branch's pull request; None when gone.

        `mentions` are the issues whose titles come along, those that exist. A pull request is read the same way.
        """
        owner, _, name = self._requests.repo.partition("/")
        response = self._requests.graphql(
            reading(mentions, branch, is_pull=is_pull),
            expected=_MISSING,
            owner=owner,
            name=name,
            number=number,
            branch=branch,
        )
        return response.read(IssueResponse).issue

    def see_issue(
        self, node_id: str, number: int, branch: str, mentions: Sequence[int], *, is_pull: bool = False
    ) -> Issue | None:
        """Show on the issue that it's been seen, and return what `issue` does by the same request.

        The reaction is a courtesy: where GitHub refuses it, the issue is only read.
        """
        try:
            response = self._requests.graphql(
                seeing(mentions, branch, is_pull=is_pull), expected=_MISSING, subject=node_id, branch=branch
            )
        except (GitHubRequestError, GitHubUnavailableError) as error:
            logger.warning("reaction failed", extra={"issue": number, "reason": str(error)})
            return self.issue(number, branch, mentions, is_pull=is_pull)
        return response.read(IssueResponse).issue

    # ------------------------------------------------------------ comments

    def ensure_comment(self, number: int, marker: str, body: str, since: datetime | None = None) -> int:
        """Write this comment unless there is one of ours that begins with the marker; returns the comment's id.

        A try that GitHub answered with an error may have been carried out all the same: the next one looks first.
        With `since`, only comments that were written or edited from then on are looked at.
        """
        found = self.find_comment(number, marker, since)
        return self.create_comment(number, body) if found is None else found

    def find_comment(self, number: int, marker: str, since: datetime | None = None) -> int | None:
        """Return the id of the oldest comment of ours that begins with the marker."""
        filters = f"&since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if since else ""
        return self._own_with(marker, f"/issues/{number}/comments?per_page=100{filters}")

    def create_comment(self, number: int, body: str) -> int:
        """Comment on an issue or pull request; returns the comment's id."""
        return self._requests.send("POST", f"/issues/{number}/comments", {"body": body}).read(CommentDocument).id

    def edit_comment(self, comment_id: int, body: str) -> str | None:
        """Give a comment this text; returns its global id, or None when it is gone."""
        response = self._requests.send("PATCH", f"/issues/comments/{comment_id}", {"body": body}, expected=_NOT_FOUND)
        return None if response.status in _NOT_FOUND else response.read(NodeId).node_id

    def comment(self, comment_id: int) -> Comment | None:
        """Return a comment on a pull request as it is now; None when it is gone."""
        response = self._requests.send("GET", f"/issues/comments/{comment_id}", expected=_NOT_FOUND)
        return None if response.status in _NOT_FOUND else response.read(WrittenComment).described()

    # ------------------------------------------------------------ a review's threads

    def review_node_id(self, pull_number: int, review_id: int) -> str | None:
        """Return a review's global id; None when it is gone."""
        response = self._requests.send("GET", f"/pulls/{pull_number}/reviews/{review_id}", expected=_NOT_FOUND)
        return None if response.status in _NOT_FOUND else response.read(NodeId).node_id

    def review(self, node_id: str) -> Review | None:
        """Return the review that a global id names, or of which it names a comment, as it is now; None if it's gone.

        By GraphQL: REST needs a request for the review and another for its comments, which lack their lines.
        """
        found: ReviewNode | None = None
        comments: list[ReviewComment] = []
        after: str | None = None
        while found is None or after is not None:
            try:
                response = self._requests.graphql(_REVIEW, subject=node_id, after=after)
            except NodeNotFoundError:
                return None
            found = response.read(ReviewedDocument).data.review
            if found is None:
                return None
            comments += [comment.described() for comment in found.comments.nodes]
            after = found.comments.following
        return found.described(comments)

    def find_review_reply(self, pull_number: int, marker: str) -> int | None:
        """Return the id of the oldest review comment of ours that begins with the marker."""
        return self._own_with(marker, f"/pulls/{pull_number}/comments?per_page=100")

    def reply_to_review_comment(self, pull_number: int, comment_id: int, body: str) -> int | None:
        """Answer in a review comment's thread; returns the reply's id, or None when the thread is gone.

        GitHub takes replies to a thread's first comment only: for any other, that one is looked up.
        """
        response = self._reply(pull_number, comment_id, body, expected=_NOT_FOUND | _UNPROCESSABLE)
        if response.status in _UNPROCESSABLE:
            thread = self._requests.send("GET", f"/pulls/comments/{comment_id}", expected=_NOT_FOUND)
            if thread.status in _NOT_FOUND:
                return None
            first = thread.read(CommentDocument).in_reply_to_id
            if first is None:
                raise self._requests.refused(response)
            response = self._reply(pull_number, first, body, expected=_NOT_FOUND)
        return None if response.status in _NOT_FOUND else response.read(CommentDocument).id

    def add_eyes(self, node_ids: Sequence[str], *, comment: str | None = None, body: str = "") -> bool:
        """Show that these comments or reviews have been read. Run twice, it is shown once.

        The same request gives the `comment` with that global id this `body`; returns whether GitHub has done that. What
        it refuses of the rest is logged: eyes are a courtesy.
        """
        subjects = {f"subject{number}": node_id for number, node_id in enumerate(node_ids)}
        declared = [f"${name}: ID!" for name in subjects]
        mutations = [f"{name}: {_ADD_EYES % name}" for name in subjects]
        variables = dict(subjects)
        if comment is not None:
            declared += ["$comment: ID!", "$body: String!"]
            mutations.append(_EDIT)
            variables |= {"comment": comment, "body": body}
        done = self._requests.mutate(f"mutation({', '.join(declared)}) {{ {' '.join(mutations)} }}", **variables)
        return "edit" in done

    # ------------------------------------------------------------ the pull request's branch

    def base_of(self, pull_number: int) -> str:
        """Return the branch that a pull request is for: people may change it at any time."""
        return self._requests.send("GET", f"/pulls/{pull_number}").read(Pull).base.ref

    def update_branch(self, pull_number: int) -> BranchUpdate:
        """Have GitHub merge the base branch into the pull request's, which it does in the background.

        A refusal for any other reason than a conflict is returned in GitHub's own words. GitHub's reference doesn't
        document those for a conflict and for a branch that lacks nothing; *GitHub Agentic Workflows: Safe Outputs* has.
        """
        response = self._requests.send("PUT", f"/pulls/{pull_number}/update-branch", {}, expected=_NOT_UPDATED)
        if response.refuses(422, "merge conflict"):
            return BranchUpdate(conflicts=True)
        if response.refuses(422, "no new commits on the base branch"):
            return BranchUpdate(was_current=True)
        return BranchUpdate(refusal=response.message if response.status in _NOT_UPDATED else "")

    def _reply(self, pull_number: int, comment_id: int, body: str, expected: frozenset[int]) -> Response:
        path = f"/pulls/{pull_number}/comments/{comment_id}/replies"
        return self._requests.send("POST", path, {"body": body}, expected=expected)

    def _own_with(self, marker: str, path: str) -> int | None:
        """Find it among these comments. Anybody can write a marker, so GitHub is asked who wrote what has it.

        That is a request of its own, once there is such a comment: nothing in REST's description names our account.
        """
        for page in self._requests.pages(path, list[ListedComment]):
            marked = [comment for comment in page if (comment.body or "").startswith(marker)]
            if marked:
                own = self._own(marked)
                found = next((comment.id for comment in marked if comment.id in own), None)
                if found is not None:
                    return found
        return None

    def _own(self, comments: Sequence[ListedComment]) -> frozenset[int]:
        """Return the ids of those that were written with this account; at most 100 are asked for at once."""
        ids = [comment.node_id for comment in comments]
        return self._requests.graphql(_AUTHORED, expected=_MISSING, comments=ids).read(AuthoredComments).own
