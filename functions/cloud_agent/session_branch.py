"""The branch of a session: the one it had before, a new one, or one by another name where somebody has that name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.adapters.github.repository import Branch, Creation
from cloud_agent.domain.errors import NoFreeBranchNameError
from cloud_agent.domain.session.branch_names import alternatives, blocking

if TYPE_CHECKING:
    from cloud_agent.adapters.github.repository import Beginning, Repository
    from cloud_agent.adapters.table.branches import Branches
    from cloud_agent.domain.session.session import Session
    from cloud_agent.domain.session.session_request import RequestedSession


@dataclass(frozen=True)
class SessionBranch:
    """The session's branch by name. `blocked_by` is the branch because of which it has no other, better name."""

    name: str
    at: Branch
    blocked_by: str | None


def branch_of_pull(repository: Repository, request: RequestedSession, previous: Session | None) -> SessionBranch:
    """Return the branch of the pull request that the session was requested on: it stays as people have it.

    The session's own work begins after the branch's last commit, or where an earlier session's began.

    Raises:
        CloudAgentError: as `connection.GitHub` says.
    """
    begun = previous.base_sha if previous is not None and previous.branch == request.branch else None
    base_sha = begun or repository.pull_request(request.issue_number).head.sha
    return SessionBranch(request.branch, Branch(base_sha, None), None)


class BranchFinder:
    """Finds one session's branch. Only branches that a session created are taken up: no other is moved or deleted.

    Done again after a failure, it comes to the same branch: a name is claimed, with the commit that the branch is to
    begin with, before the branch is created.
    """

    def __init__(self, repository: Repository, branches: Branches, request: RequestedSession, message: str) -> None:
        self._repository = repository
        self._branches = branches
        self._request = request
        self._message = message

    def find(self, previous: Session | None) -> SessionBranch:
        """Return the branch of the issue's previous session, or one with the requested name or the first free one.

        Raises:
            NoFreeBranchNameError: every name is taken.
            CloudAgentError: as `connection.GitHub` says.
        """
        wanted, key = self._request.branch, self._request.issue_key
        names = [wanted, *alternatives(wanted)]
        blocked_by = None
        if previous is not None and previous.branch in names[1:]:
            names = [previous.branch, *(name for name in names if name != previous.branch)]
            blocked_by = previous.blocking_branch
        beginning = self._repository.begin(self._request.default_branch, self._request.default_head, self._message)
        similar = self._request.similar_branches
        # A tracker's keys are written in capitals, and so may be the branches that people name after them.
        is_likely_free = key.isdecimal() and blocking(names[0], similar) is None
        if is_likely_free and (branch := self._take(names[0], beginning, previous)):
            return SessionBranch(names[0], branch, blocked_by)
        others = [*self._repository.branches_from("claude"), *similar]
        for name in names:
            is_ours = previous is not None and previous.branch == name
            is_free = is_ours or blocking(name, others) is None
            if is_free and (branch := self._take(name, beginning, previous)):
                blocked_by = None if name == wanted else blocking(wanted, others) or wanted
                return SessionBranch(name, branch, blocked_by)
        raise NoFreeBranchNameError(f"{wanted} is taken, and so are {names[1]} to {names[-1]}.")

    def _take(self, name: str, beginning: Beginning, previous: Session | None) -> Branch | None:
        """Create the branch, or take it up where a session created it; None where the name can't be had."""
        repository_id = self._request.repository_id
        claimed = self._branches.claim(repository_id, name, self._request.issue_number, beginning.initial_sha)
        if claimed is None:
            return None
        branch = None
        match self._repository.create_branch(name, beginning.initial_sha):
            case Creation.CREATED:
                branch = beginning.branch
            case Creation.EXISTS:
                # Branches that were created before their rows said so are known by the issue's previous session.
                is_created = claimed.is_created or (previous is not None and previous.branch == name)
                attempts = None if is_created else claimed.attempts
                pull_number = previous.pull_number if previous is not None else None
                branch = self._repository.take_up(name, self._request.default_branch, beginning, attempts, pull_number)
        if branch is not None:
            self._branches.record_created(repository_id, name)
        return branch
