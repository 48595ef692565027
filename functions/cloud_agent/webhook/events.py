"""The parts of GitHub's events that are read. Unknown members are GitHub's to add, so they are ignored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from cloud_agent.domain.session.repository import GitHubRepository
from cloud_agent.domain.session.session import RepositoryName

# Of GitHub's integers, ids are the largest, and have 64 bits. DynamoDB keeps no number of more than 38 digits.
Number = Annotated[int, Field(gt=0, lt=2**63)]
# GitHub's are of 39 characters at most; a suffix marks those of Apps, and those that a company manages.
Login = Annotated[str, Field(max_length=100)]


class Event(BaseModel):
    """A frozen view of somebody else's document."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)  # a cold start builds what it reads


class Account(Event):
    """A GitHub user, organisation or App. `is_allowed` comes from the deployment, never from the payload."""

    login: Login
    id: Number | None = None
    type: str = "User"
    is_allowed: bool = False

    @model_validator(mode="before")
    @classmethod
    def _allow(cls, document: object, info: ValidationInfo) -> object:
        if not isinstance(document, dict):
            return document
        allowed_bots = info.context["allowed_bots"] if info.context else ()
        # As text, for it may be anything until it has been looked at, also what no set can be asked for.
        return document | {"is_allowed": str(document.get("login")) in allowed_bots}

    @property
    def is_bot(self) -> bool:
        """Whether this is an App, or a machine account that GitHub marks as one, that isn't let in as people are."""
        return not self.is_allowed and self._is_machine

    @property
    def _is_machine(self) -> bool:
        return self.type == "Bot" or self.login.endswith("[bot]")


class Label(Event):
    """A label on an issue."""

    name: str


class Labeled(Event):
    """What a label starts a session on, as GitHub has it then."""

    number: Number
    node_id: str
    title: str
    body: str | None = None
    user: Account | None = None
    html_url: str
    state: str
    updated_at: AwareDatetime


class Issue(Labeled):
    """An issue, or a pull request in its issue shape (then `pull_request` is present)."""

    pull_request: dict[str, Any] | None = None


class Repository(Event):
    """The repository an event happened in."""

    id: Number
    full_name: RepositoryName
    default_branch: str


class Installation(Event):
    """The GitHub App's installation that the event was delivered for; absent for a plain repository webhook."""

    id: Number


class RepositoryEvent(Event):
    """An event of a repository, and where that is now."""

    repository: Repository
    installation: Installation | None = None

    @property
    def home(self) -> GitHubRepository:
        """The repository by its number, with the name and the installation that the delivery has."""
        installation_id = self.installation.id if self.installation else None
        return GitHubRepository(self.repository.id, self.repository.full_name, installation_id)


class IssueLabeled(RepositoryEvent):
    """GitHub's `issues` event with action `labeled`. An account that has been deleted since sends nothing."""

    action: str
    label: Label
    issue: Issue
    sender: Account | None


class IssueUnlabeled(RepositoryEvent):
    """GitHub's `issues` event with action `unlabeled`."""

    label: Label
    labelled: Issue = Field(validation_alias="issue")


class ClosedIssue(Event):
    """An issue when it is closed, and why."""

    number: Number
    state_reason: str | None = None
    closed_at: AwareDatetime | None = None


class IssueClosed(RepositoryEvent):
    """GitHub's `issues` event with action `closed`."""

    issue: ClosedIssue
    sender: Account | None


class NumberedIssue(Event):
    """An issue, as far as its number."""

    number: Number


class IssueDeleted(RepositoryEvent):
    """GitHub's `issues` event with action `deleted`."""

    issue: NumberedIssue


class NamedRepository(Event):
    """A repository, as far as its name."""

    full_name: RepositoryName


class Transfer(Event):
    """Where an issue is from now on."""

    new_issue: NumberedIssue
    new_repository: NamedRepository


class IssueTransferred(IssueDeleted):
    """GitHub's `issues` event with action `transferred`, as sent to the repository that the issue was in."""

    changes: Transfer


class ClosedPullRequest(Event):
    """A pull request when it is closed, and whether by a merge."""

    number: Number
    merged: bool
    closed_at: AwareDatetime | None = None


class NumberedRepository(Event):
    """A repository, as far as its id."""

    id: Number


class Head(Event):
    """The branch of a pull request, and where it is: nowhere any more where a fork was deleted."""

    ref: str
    repo: NumberedRepository | None


class Base(Event):
    """The branch that a pull request is to be merged into."""

    ref: str


class LabeledPullRequest(Labeled):
    """A pull request when a label is added."""

    head: Head
    base: Base


class PullRequestLabeled(RepositoryEvent):
    """GitHub's `pull_request` event with action `labeled`."""

    label: Label
    pull_request: LabeledPullRequest
    sender: Account | None


class UnlabeledPullRequest(Event):
    """A pull request when a label is removed."""

    number: Number
    updated_at: AwareDatetime


class PullRequestUnlabeled(RepositoryEvent):
    """GitHub's `pull_request` event with action `unlabeled`."""

    label: Label
    labelled: UnlabeledPullRequest = Field(validation_alias="pull_request")


class PullRequestChanges(Event):
    """What was edited of a pull request; of its base, what that was before."""

    base: dict[str, Any] | None = None


class PullRequestEdited(RepositoryEvent):
    """GitHub's `pull_request` event with action `edited`."""

    changes: PullRequestChanges
    pull_request: NumberedIssue


class PullRequestClosed(RepositoryEvent):
    """GitHub's `pull_request` event with action `closed`."""

    pull_request: ClosedPullRequest


class Pushed(RepositoryEvent):
    """GitHub's `push` event: a branch or a tag was created, moved or deleted; `after` is the commit it's at now."""

    ref: str
    after: str
    deleted: bool


class SteeringEvent(RepositoryEvent):
    """What somebody wrote on a pull request, whichever way. A deleted account is nobody: `sender` is null."""

    sender: Account | None


class Comment(Event):
    """A comment on an issue or on the whole of a pull request."""

    id: Number
    node_id: str
    html_url: str
    body: str | None
    user: Account | None = None
    created_at: AwareDatetime


class CommentedIssue(Event):
    """The issue or pull request that a comment was written on."""

    number: Number
    state: str
    pull_request: dict[str, Any] | None = None


class IssueCommented(SteeringEvent):
    """GitHub's `issue_comment` event with action `created`, `edited` or `deleted`."""

    issue: CommentedIssue
    comment: Comment


class OpenOrClosedPullRequest(Event):
    """The pull request that a review is of."""

    number: Number
    state: str


class Review(Event):
    """A review's own text; its comments on lines are events of their own."""

    id: Number
    node_id: str
    body: str | None
    user: Account | None = None


class PullRequestReviewed(SteeringEvent):
    """GitHub's `pull_request_review` event with action `submitted` or `edited`."""

    pull_request: OpenOrClosedPullRequest
    review: Review


class ReviewComment(Event):
    """A comment on lines of a pull request's changes."""

    node_id: str
    body: str | None
    user: Account | None = None
    pull_request_review_id: Number | None


class PullRequestReviewCommented(SteeringEvent):
    """GitHub's `pull_request_review_comment` event with action `created`, `edited` or `deleted`."""

    pull_request: OpenOrClosedPullRequest
    comment: ReviewComment
