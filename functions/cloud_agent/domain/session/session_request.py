"""A session before it begins: what is requested, and the same once the session has its id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from cloud_agent.domain.session.agents import Agent
from cloud_agent.domain.session.repository import GitHubRepository
from cloud_agent.domain.session.session import RepositoryName, SessionId, timestamp

# A start takes seconds, but a session that follows another waits up to ten minutes for that one's lock.
CLAIMED_WITHIN = timedelta(minutes=1)
LOCK_AWAITED = timedelta(minutes=10)

Moment = Annotated[AwareDatetime, PlainSerializer(timestamp, when_used="json")]


class DefaultHead(BaseModel):
    """The last commit of the default branch, and which files it has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha: str
    tree: str


class SessionRequest(BaseModel):
    """What somebody requests: ids and names, and the issue's title for the pull request's. No secret.

    A session that was requested on a pull request works on that one's `branch`, which is for `base_branch`: it's the
    issue here, and `pull_number` its number. Any other's is for the default branch. `triggered_by` is the delivery's id
    or the comment's identity, `triggered_at` when GitHub says that it happened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository_id: int = Field(gt=0)
    repo: RepositoryName
    issue_number: int = Field(gt=0)
    issue_key: str
    issue_title: str
    issue_url: str
    pull_number: int | None = None
    branch: str
    base_branch: str = ""
    default_branch: str
    installation_id: int | None
    requested_by: str
    agent: Agent = Agent.STANDARD
    triggered_by: str
    triggered_at: Moment

    @property
    def is_of_pull_request(self) -> bool:
        """Whether it was requested on a pull request of somebody's."""
        return self.pull_number is not None

    @property
    def repository(self) -> GitHubRepository:
        """The session's repository, as it was when the session was requested."""
        return GitHubRepository(self.repository_id, self.repo, self.installation_id)


class RequestedSession(SessionRequest):
    """The request with its session's id: the execution's input, and the row of the session requested last on an issue.

    `follows` names a live session of the same issue that is about to end, whose lock is waited for;
    `previous_session_id` the issue's last session that ever began; `default_head` is the default branch's where it was
    read with the issue, as it was then; `similar_branches` are the repository's that differ from the session's in case.
    """

    session_id: SessionId
    follows: SessionId | None = None
    previous_session_id: SessionId | None = None
    default_head: DefaultHead | None = None
    similar_branches: tuple[str, ...] = ()
    requested_at: Moment

    def may_still_begin(self) -> bool:
        """Whether its execution may still be on the way to claiming the issue."""
        longest = CLAIMED_WITHIN + (LOCK_AWAITED if self.follows else timedelta())
        return datetime.now(UTC) - self.requested_at < longest
