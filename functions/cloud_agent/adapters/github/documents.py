"""GitHub's documents, as far as they are read."""

from __future__ import annotations

from typing import Any

from pydantic import AliasPath, AwareDatetime, BaseModel, ConfigDict, Field

from cloud_agent.domain.conversation.comments import Comment
from cloud_agent.domain.session.app import App


class Document(BaseModel):
    """A part of what GitHub sends; the rest is left unread."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)  # a cold start builds what it reads


class Sha(Document):
    """Whatever is named by its hash: a commit, a tree, the target of a reference."""

    sha: str


class Reference(Document):
    """A reference by its full name, or a pull request's base by that of its branch."""

    ref: str


class RuleParameters(Document):
    """What a rule about text asks for; other rules have parameters of their own."""

    operator: str = ""
    pattern: str = ""
    negate: bool = False


class RuleDocument(Document):
    """A rule that applies to a branch."""

    type: str
    parameters: RuleParameters | None = None


class CommitTree(Document):
    """Which files a commit has."""

    tree: Sha


class BranchHead(Sha):
    """The last commit of a branch."""

    commit: CommitTree


class BranchDocument(Document):
    """A branch."""

    name: str
    commit: BranchHead


class CommitAuthor(Document):
    """Who a commit says has written it."""

    name: str
    email: str


class CommitText(CommitTree):
    """What a commit says, and which files it has. One that Git was not told the author of has none."""

    message: str
    author: CommitAuthor | None


class ListedCommit(Sha):
    """A commit as a comparison lists it."""

    html_url: str
    commit: CommitText
    parents: tuple[Sha, ...]


class Comparison(Document):
    """What one branch has and another has not, or one page of it."""

    ahead_by: int
    merge_base_commit: BranchHead
    commits: list[ListedCommit]


class Pull(Document):
    """A pull request."""

    number: int
    html_url: str
    node_id: str
    state: str
    head: Sha
    base: Reference
    title: str = ""
    draft: bool = False
    merged_at: str | None = None
    body: str | None = None


class Conversions(Document):
    """When a pull request was converted to a draft."""

    nodes: tuple[Document, ...] = Field(validation_alias=AliasPath("data", "node", "timelineItems", "nodes"))


class CommitNode(Document):
    """A commit as GraphQL has it, and which files it has."""

    sha: str = Field(validation_alias="oid")
    tree: str = Field(validation_alias=AliasPath("tree", "oid"))


class NodeId(Document):
    """Whatever GraphQL has a name for."""

    node_id: str


class WrittenComment(NodeId):
    """A comment on an issue or a pull request, with its text."""

    id: int
    html_url: str
    body: str | None = None
    created_at: AwareDatetime

    def described(self) -> Comment:
        """Return the comment."""
        return Comment(self.id, self.node_id, self.html_url, self.body or "", self.created_at)


class RenderedText(Document):
    """What somebody wrote, as HTML; None where that's nothing."""

    body_html: str | None = None


class CommentDocument(Document):
    """A comment on an issue, a pull request or a line of its changes."""

    id: int
    body: str | None = None
    in_reply_to_id: int | None = None


class ListedComment(CommentDocument, NodeId):
    """A comment of a list, with what GraphQL knows it by."""


class AuthoredComment(Document):
    """A comment as GraphQL has it, and whether the account of the token wrote it."""

    id: int = Field(validation_alias="fullDatabaseId")
    is_own: bool = Field(validation_alias="viewerDidAuthor")


class AuthoredComments(Document):
    """Comments by their global ids; those that are gone are None."""

    nodes: tuple[AuthoredComment | None, ...] = Field(validation_alias=AliasPath("data", "nodes"))

    @property
    def own(self) -> frozenset[int]:
        """The ids of those that the account of the token wrote."""
        return frozenset(one.id for one in self.nodes if one is not None and one.is_own)


class DeploymentDocument(Document):
    """A Deployment, with whatever its creator put into it. Without one where the account is gone."""

    id: int
    creator: App | None = None
    payload: Any = None


class Account(Document):
    """A person, an organization or a bot."""

    login: str


class RegisteredName(Document):
    """A GitHub App, as far as its name in addresses and mentions."""

    slug: str


class Label(Document):
    """A label of an issue."""

    name: str


class Permission(Document):
    """A person's role in a repository."""

    permission: str
