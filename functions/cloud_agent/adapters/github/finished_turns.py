"""What a turn's end reads and writes on its pull request, each by one request.

REST needs two requests to read and up to four to write. Of a document with several mutations, GraphQL carries out one
after the other, and one that fails keeps no other back ("GraphQL Specification": Normal and Serial Execution, Handling
Execution Errors). A request with mutations is 5 of the 2,000 points a minute of GraphQL's secondary limit ("GitHub
Docs: Rate limits and query limits for the GraphQL API"). The fields are those of "GitHub Docs: GraphQL reference".
Nothing here is the only way: what isn't carried out, the caller does by REST.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import AliasPath, Field

from cloud_agent.adapters.github.documents import CommitAuthor, CommitNode, Document
from cloud_agent.adapters.github.repository import PullAsItIs, person_of
from cloud_agent.domain.errors import GitHubRequestError
from cloud_agent.domain.session.provenance import Commit
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from cloud_agent.adapters.github.repository_requests import RepositoryRequests

# The branches are compared as they are on GitHub: a pull request's own list of commits follows a push later.
_READ = """\
query($owner: String!, $name: String!, $number: Int!, $base: String!, $head: String!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      id number title body state isDraft
      timelineItems(itemTypes: [CONVERT_TO_DRAFT_EVENT], last: 1) { nodes { __typename } }
    }
    ref(qualifiedName: $base) {
      compare(headRef: $head) {
        headTarget { oid }
        commits(first: 100) {
          pageInfo { hasNextPage endCursor }
          nodes {
            oid message url author { name email } tree { oid }
            parents(first: 10) { nodes { oid tree { oid } } }
          }
        }
      }
    }
  }
}"""
# In this order: the reply is there before the draft is ready for review, and the description before both.
_PARTS = {
    "description": (
        "$pull: ID!, $description: String!",
        "description: updatePullRequest(input: {pullRequestId: $pull, body: $description}) { clientMutationId }",
    ),
    "reply": (
        "$pull: ID!, $reply: String!",
        "reply: addComment(input: {subjectId: $pull, body: $reply}) { commentEdge { node { fullDatabaseId } } }",
    ),
    "status": (
        "$comment: ID!, $status: String!",
        "status: updateIssueComment(input: {id: $comment, body: $status}) { clientMutationId }",
    ),
    "ready": (
        "$pull: ID!",
        "ready: markPullRequestReadyForReview(input: {pullRequestId: $pull}) { clientMutationId }",
    ),
}


@dataclass(frozen=True)
class PullRequestAndCommits:
    """A pull request as it is, and what its branch has that the default branch lacks, oldest first.

    `commits` is None where GitHub lists more than a page of them, or none.
    """

    pull: PullAsItIs
    commits: tuple[Commit, ...] | None


@dataclass(frozen=True)
class TurnTexts:
    """What is to be written of a turn; None is left as it is. `status` is for the comment with the id `comment`."""

    reply: str
    description: str | None = None
    status: str | None = None
    comment: str | None = None
    ready: bool = False


@dataclass(frozen=True)
class Written:
    """What of it has been carried out, beside the reply with this id."""

    reply_id: int
    description: bool
    status: bool
    ready: bool


class FinishedTurns:
    """The pull requests of one repository, at the end of a turn."""

    def __init__(self, requests: RepositoryRequests) -> None:
        self._requests = requests

    def read(self, pull_number: int, default_branch: str, branch: str) -> PullRequestAndCommits | None:
        """Return what the end of a turn has to know; None where GitHub refuses any of it.

        Raises:
            GitHubUnavailableError, GitHubRateLimitedError: worth a retry.
        """
        owner, _, name = self._requests.repo.partition("/")
        base, head = (f"refs/heads/{one}" for one in (default_branch, branch))
        try:
            response = self._requests.graphql(_READ, owner=owner, name=name, number=pull_number, base=base, head=head)
        except GitHubRequestError as error:
            logger.warning("pull request not read in one request", extra={"reason": str(error)})
            return None
        found = response.read(_Response).repository
        return PullRequestAndCommits(found.pull.described(), found.commits) if found and found.pull else None

    def write(self, pull: PullAsItIs, texts: TurnTexts) -> Written | None:
        """Write the reply and whatever else there is; None where there is no reply then, as far as GitHub says.

        Raises:
            GitHubUnavailableError, GitHubRateLimitedError: worth a retry, which has to look for the reply first.
        """
        wanted = {
            "description": texts.description is not None,
            "reply": True,
            "status": texts.status is not None and texts.comment is not None,
            "ready": texts.ready,
        }
        parts = [_PARTS[name] for name, is_wanted in wanted.items() if is_wanted]
        declared = dict.fromkeys(one for declared, _ in parts for one in declared.split(", "))
        variables = {
            "pull": pull.node_id,
            "description": texts.description,
            "reply": texts.reply,
            "comment": texts.comment,
            "status": texts.status,
        }
        names = [one[1 : one.index(":")] for one in declared]
        operation = f"mutation({', '.join(declared)}) {{ {' '.join(mutation for _, mutation in parts)} }}"
        try:
            done = self._requests.mutate(operation, **{name: variables[name] for name in names})
        except GitHubRequestError as error:
            logger.warning("turn not written in one request", extra={"reason": str(error)})
            return None
        if "reply" not in done:
            return None
        reply_id = _Added.model_validate(done["reply"]).id
        return Written(reply_id, *(name in done for name in ("description", "status", "ready")))


class _Commit(CommitNode):
    message: str
    url: str
    author: CommitAuthor | None
    parents: tuple[CommitNode, ...] = Field(validation_alias=AliasPath("parents", "nodes"))

    def described(self) -> Commit:
        return Commit(
            sha=self.sha,
            message=self.message,
            url=self.url,
            parents=tuple(parent.sha for parent in self.parents),
            author=person_of(self.author),
            is_empty=[parent.tree for parent in self.parents] == [self.tree],
        )


class _Comparison(Document):
    head: str = Field(validation_alias=AliasPath("headTarget", "oid"))
    has_more: bool = Field(validation_alias=AliasPath("commits", "pageInfo", "hasNextPage"))
    commits: tuple[_Commit, ...] = Field(validation_alias=AliasPath("commits", "nodes"))


class _Branch(Document):
    comparison: _Comparison | None = Field(validation_alias="compare")


class _Pull(Document):
    node_id: str = Field(validation_alias="id")
    number: int
    title: str
    body: str
    state: str
    is_draft: bool = Field(validation_alias="isDraft")
    conversions: tuple[Document, ...] = Field(validation_alias=AliasPath("timelineItems", "nodes"))

    def described(self) -> PullAsItIs:
        may_be_ready = self.is_draft and self.state == "OPEN" and not self.conversions
        return PullAsItIs(self.number, self.node_id, self.title, self.body, may_be_ready=may_be_ready)


class _Repository(Document):
    pull: _Pull | None = Field(validation_alias="pullRequest")
    base: _Branch | None = Field(validation_alias="ref")

    @property
    def commits(self) -> tuple[Commit, ...] | None:
        """The commits; the order of GraphQL's isn't documented, so that they have to end with the branch's head."""
        compared = self.base.comparison if self.base else None
        if compared is None or compared.has_more or not compared.commits or compared.commits[-1].sha != compared.head:
            return None
        return tuple(commit.described() for commit in compared.commits)


class _Response(Document):
    repository: _Repository | None = Field(validation_alias=AliasPath("data", "repository"))


class _Added(Document):
    id: int = Field(validation_alias=AliasPath("commentEdge", "node", "fullDatabaseId"))
