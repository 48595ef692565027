"""An issue or pull request with what a colleague would read beside it, in one request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, AliasPath, AwareDatetime, Field, model_validator

from cloud_agent.adapters.github.documents import Account, CommitNode, Document, Label
from cloud_agent.domain.conversation.discussion import DiscussionComment, IssueContext, Mentioned
from cloud_agent.domain.conversation.prompts import GHOST
from cloud_agent.domain.session.branch_names import in_other_case
from cloud_agent.domain.session.session_request import DefaultHead

if TYPE_CHECKING:
    from collections.abc import Sequence

_REVIEWED = "author { login } authorAssociation createdAt: submittedAt url body"
_SAID = "author { login } authorAssociation createdAt url body"
_REVIEW = "a review"
_TITLE = "number title state"
# REST needs four requests for this, and says nowhere who edited the issue's text last. A fork's branch can have the
# same name, so that its pull requests are found as well.
_ISSUE = f"""\
fragment issue on %s {{
  {_TITLE} url body %s
  author {{ login }}
  editor {{ login }}
  labels(first: 100) {{ nodes {{ name }} }}
  comments(last: 50) {{ nodes {{ {_SAID} }} }}
  repository {{
    settings: object(expression: "HEAD:.github/claude-cloud-agent.yml") {{ ... on Blob {{ text }} }}
    defaultBranchRef {{ name target {{ ... on Commit {{ oid tree {{ oid }} }} }} }}
    pullRequests(headRefName: $branch, states: [OPEN], first: 5) {{
      nodes {{
        isCrossRepository
        reviews(last: 30, states: [COMMENTED, APPROVED, CHANGES_REQUESTED]) {{ nodes {{ {_REVIEWED} }} }}
        reviewThreads(last: 30) {{
          nodes {{ isResolved path line originalLine comments(first: 10) {{ nodes {{ {_SAID} }} }} }}
        }}
      }}
    }}
    %s
  }}
}}"""
_READ = """\
query($owner: String!, $name: String!, $number: Int!, $branch: String!) {
  repository(owner: $owner, name: $name) { issue: %s(number: $number) { ...issue } }
}"""
_SEE = """\
mutation($subject: ID!, $branch: String!) {
  addReaction(input: {subjectId: $subject, content: EYES}) { subject { ...issue } }
}"""
_ISSUE_ALONE, _PULL_REQUEST = ("Issue", ""), ("PullRequest", "baseRefName")
_ALIAS = re.compile(r"[mb]\d+")
_MENTIONED = f"m%d: issueOrPullRequest(number: %d) {{ ... on Issue {{ {_TITLE} }} ... on PullRequest {{ {_TITLE} }} }}"
_BRANCH = "b%d: ref(qualifiedName: %s) { name }"


@dataclass(frozen=True)
class Issue:
    """An issue as it stands now. `editor` edited its text last; None where nobody did, or their account is gone.

    `settings` is the repository's own file, as the default branch has it; empty where there's none. A repository that
    is empty has no `default_head`. `similar_branches` are those that `branch_names.in_other_case` names. A pull request
    is for `base_branch`.
    """

    title: str
    body: str
    author: str
    editor: str | None
    url: str
    is_open: bool
    labels: frozenset[str]
    context: IssueContext
    settings: str
    default_branch: str
    default_head: DefaultHead | None
    similar_branches: tuple[str, ...]
    base_branch: str = ""


class _Comment(Document):
    author: Account | None
    association: str = Field(validation_alias="authorAssociation")
    at: AwareDatetime = Field(validation_alias="createdAt")
    url: str
    body: str

    def quoted(self, place: str = "") -> DiscussionComment:
        author = self.author.login if self.author else GHOST
        return DiscussionComment(author, self.association, self.at, self.url, self.body, place)


class _Thread(Document):
    is_resolved: bool = Field(validation_alias="isResolved")
    path: str
    line: int | None
    original_line: int | None = Field(validation_alias="originalLine")
    comments: tuple[_Comment, ...] = Field(validation_alias=AliasPath("comments", "nodes"))

    @property
    def place(self) -> str:
        if self.line is not None:
            return f"{self.path}, line {self.line}"
        return f"{self.path}, line {self.original_line} as it was then" if self.original_line else self.path


class _Pull(Document):
    is_of_a_fork: bool = Field(validation_alias="isCrossRepository")
    reviews: tuple[_Comment, ...] = Field(validation_alias=AliasPath("reviews", "nodes"))
    threads: tuple[_Thread, ...] = Field(validation_alias=AliasPath("reviewThreads", "nodes"))


class _Title(Document):
    number: int
    title: str
    state: str


class _File(Document):
    text: str | None = None


class _Ref(Document):
    name: str


class _Branch(_Ref):
    head: CommitNode = Field(validation_alias="target")


class _Repository(Document):
    settings: _File | None = None
    default_branch: _Branch | None = Field(validation_alias="defaultBranchRef")
    pulls: tuple[_Pull, ...] = Field(validation_alias=AliasPath("pullRequests", "nodes"))
    mentioned: tuple[_Title, ...]
    similar_branches: tuple[_Ref, ...]

    @model_validator(mode="before")
    @classmethod
    def _collect(cls, found: dict[str, Any]) -> dict[str, Any]:
        aliased: dict[str, list[Any]] = {"m": [], "b": []}
        for name, value in found.items():
            if value and _ALIAS.fullmatch(name):
                aliased[name[0]].append(value)
        return {**found, "mentioned": aliased["m"], "similar_branches": aliased["b"]}


class _Issue(_Title):
    url: str
    body: str
    author: Account | None
    editor: Account | None
    labels: tuple[Label, ...] = Field(validation_alias=AliasPath("labels", "nodes"))
    comments: tuple[_Comment, ...] = Field(validation_alias=AliasPath("comments", "nodes"))
    base_branch: str = Field("", validation_alias="baseRefName")
    repository: _Repository

    def described(self) -> Issue:
        """Return the issue, with the reviews of its branch's pull request, and the threads that nobody has resolved."""
        labels = tuple(label.name for label in self.labels)
        pulls = [pull for pull in self.repository.pulls if not pull.is_of_a_fork]
        threads = [thread for pull in pulls for thread in pull.threads]
        comments = [comment.quoted() for comment in self.comments]
        comments += [review.quoted(_REVIEW) for pull in pulls for review in pull.reviews if review.body]
        comments += [comment.quoted(one.place) for one in threads if not one.is_resolved for comment in one.comments]
        default = self.repository.default_branch
        mentioned = tuple(Mentioned(one.number, one.title, one.state) for one in self.repository.mentioned)
        return Issue(
            title=self.title,
            body=self.body,
            author=self.author.login if self.author else GHOST,
            editor=self.editor.login if self.editor else None,
            url=self.url,
            is_open=self.state == "OPEN",
            labels=frozenset(labels),
            context=IssueContext(labels, tuple(comments), mentioned),
            settings=(self.repository.settings.text if self.repository.settings else None) or "",
            default_branch=default.name if default else "",
            default_head=DefaultHead(sha=default.head.sha, tree=default.head.tree) if default else None,
            similar_branches=tuple(branch.name for branch in self.repository.similar_branches),
            base_branch=self.base_branch,
        )


class _Found(Document):
    issue: _Issue | None = Field(validation_alias=AliasChoices("issue", "subject"))


class IssueResponse(Document):
    """GraphQL's response to `reading` or `seeing`."""

    found: _Found | None = Field(
        validation_alias=AliasChoices(AliasPath("data", "repository"), AliasPath("data", "addReaction"))
    )

    @property
    def issue(self) -> Issue | None:
        """The issue; None where it's gone."""
        return self.found.issue.described() if self.found and self.found.issue else None


def reading(mentions: Sequence[int], branch: str, *, is_pull: bool = False) -> str:
    """Return the query of an issue by its number, or of a pull request, with the titles of those that it mentions."""
    return _with_issue(_READ % ("pullRequest" if is_pull else "issue"), mentions, branch, is_pull=is_pull)


def seeing(mentions: Sequence[int], branch: str, *, is_pull: bool = False) -> str:
    """Return the mutation that adds eyes to an issue or pull request, and reads it as `reading` does."""
    return _with_issue(_SEE, mentions, branch, is_pull=is_pull)


def _with_issue(operation: str, mentions: Sequence[int], branch: str, *, is_pull: bool) -> str:
    also = [_MENTIONED % (number, number) for number in mentions]
    # GitHub finds branches by their beginning or whole name, with its capitals.
    also += [_BRANCH % (at, json.dumps(f"refs/heads/{name}")) for at, name in enumerate(in_other_case(branch))]
    return f"{operation}\n{_ISSUE % (*(_PULL_REQUEST if is_pull else _ISSUE_ALONE), ' '.join(also))}"
