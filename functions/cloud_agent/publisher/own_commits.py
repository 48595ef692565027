"""The session's own commits as GitHub's branch has them now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.closing_keywords import closed_by
from cloud_agent.domain.session.provenance import Commit, Lineage, cut, lineage, others_met, own_commits, with_claudes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.adapters.github.repository import Repository
    from cloud_agent.domain.session.session import Session
    from cloud_agent.publisher.context import PublishingContext


@dataclass(frozen=True)
class BranchOnGitHub:
    """What the branch holds beyond its base, and which of it is the session's own, newest first."""

    shas: frozenset[str]
    own: tuple[Commit, ...]

    def new_up_to(self, head_sha: str, reported: frozenset[str]) -> tuple[Commit, ...]:
        """Return the own commits from this one down that no reply has reported."""
        shas = [commit.sha for commit in self.own]
        start = shas.index(head_sha) if head_sha in shas else 0
        return tuple(commit for commit in self.own[start:] if commit.sha not in reported)


def look_up(
    context: PublishingContext, session: Session, ahead: Sequence[Commit] | None = None, *, title: str = ""
) -> BranchOnGitHub | None:
    """Ask GitHub, and keep the answer for the status comment.

    One request; more where history was rewritten, or a message would close an issue. None where it has just been read
    what the default branch lacks (`ahead`), and that has all of the session's commits.

    Merging also puts the pull request's `title` into a message, where the caller knows it.

    None when the branch is gone, as after a merge: what was known of it stands.
    """
    if session.base_sha is None:
        return None
    repository = context.github(session).repository
    listed = ahead if ahead and _line(session, ahead).complete else None
    is_ahead = listed is not None
    if listed is None:
        listed = repository.compare(session.base_sha, session.branch)
    if listed is None:
        return None
    line = _line(session, listed)
    commits = with_claudes(_of_the_branch(session, repository, line), session.app.login if session.app else None)
    own = _own(context, session, repository, commits)
    others = sum(not commit.is_initial for commit in commits) - len(own)
    by_title = closed_by([title], session.repo, session.issue_number)
    closes = tuple(dict.fromkeys([*by_title, *_closes(session, repository, listed, is_ahead=is_ahead)]))
    context.publications.record_commits(
        session.session_id, session.reported_head_sha, own, others=others, closes=closes
    )
    return BranchOnGitHub(frozenset(commit.sha for commit in listed), own)


def _line(session: Session, listed: Sequence[Commit]) -> Lineage:
    """Follow the branch down to where the session's work begins."""
    return lineage(listed, session.initial_sha, above=session.base_sha if session.is_of_pull_request else None)


def _of_the_branch(session: Session, repository: Repository, line: Lineage) -> Sequence[Commit]:
    if line.complete or not line.commits:
        return line.commits
    ahead = repository.compare(session.base, session.branch) or ()
    return cut(line, {commit.sha for commit in ahead})


def _closes(session: Session, repository: Repository, listed: Sequence[Commit], *, is_ahead: bool) -> tuple[str, ...]:
    """Return the issues that merging closes because any commit says so, on the branch's line or merged into it."""
    if not closed_by([commit.message for commit in listed], session.repo, session.issue_number):
        return ()
    ahead = listed if is_ahead else repository.compare(session.base, session.branch) or ()
    return closed_by([commit.message for commit in ahead], session.repo, session.issue_number)


def _own(
    context: PublishingContext, session: Session, repository: Repository, commits: Sequence[Commit]
) -> tuple[Commit, ...]:
    seen_on = context.publications.branches_of(session.repository_id, [commit.sha for commit in commits])
    elsewhere = {
        commit.sha
        for other in sorted(others_met(commits, seen_on, session.branch))
        for commit in repository.compare(session.base, other) or ()
    }
    own = own_commits(commits, seen_on, session.branch, elsewhere)
    context.publications.claim_commits(
        session.repository_id, session.branch, [commit.sha for commit in own if commit.sha not in seen_on]
    )
    return own
