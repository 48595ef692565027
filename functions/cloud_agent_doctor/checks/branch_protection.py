"""Is the default branch of each repository with a session protected?

For the repositories of the sessions that run (at most 20), asks GitHub which rules apply to the default branch, and
whether it has branch protection. A rule that requires an approved pull request or restricts updates protects it, in a
ruleset of the repository or of its organization, and so does branch protection, whose details only an administrator may
see. GitHub wants the permissions Metadata (read) for the rules and Contents (read) for the branch, which the App has.

This check only warns: sessions work without protection, and no alarm fires. But a token of the App can write to the
whole repository, not only to its session's branch. On a protected branch, whoever got hold of one could still change
nothing without a review.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import BaseModel

from cloud_agent.domain.errors import CloudAgentError
from cloud_agent_doctor import github
from cloud_agent_doctor.engine.check import Check, combine
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.session import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent.domain.session.session import Session
    from cloud_agent_doctor.engine.context import CheckContext

MOST_REPOSITORIES = 20
# GitHub: REST API endpoints for rules, REST API endpoints for branches.
_PERMISSIONS = {"contents": "read", "metadata": "read"}


class _Parameters(BaseModel):
    """Of a rule that requires pull requests; others have other ones."""

    required_approving_review_count: int = 0


class _Rule(BaseModel):
    """A rule that applies to a branch."""

    type: str
    parameters: _Parameters = _Parameters()

    @property
    def keeps_the_app_out(self) -> bool:
        """Whether a token of the App can't change the branch alone: it could merge what needs no approval."""
        if self.type == "pull_request":
            return self.parameters.required_approving_review_count > 0
        return self.type == "update"


def run(context: CheckContext) -> Iterator[Finding]:
    """Find the default branches that the App's tokens can push to."""
    sessions = list(islice(_sessions(context), MOST_REPOSITORIES))
    if not sessions:
        raise NotApplicableError("no session is running")
    connection = github.connect(context)
    yield from combine(*(_of_repository(connection, session) for session in sessions))


def _sessions(context: CheckContext) -> Iterator[Session]:
    """Return one session of each repository."""
    sessions = rows.valid_sessions(context, rows.live_sessions_by_repository(context).values())
    return (session for session in sessions if session.default_branch)


def _of_repository(connection: github.GitHub, session: Session) -> Iterator[Finding]:
    repo, branch = session.repo, session.default_branch
    try:
        requests = connection.of_repository(session.repository, _PERMISSIONS)
        if not _is_protected(requests, quote(branch)):
            yield _finding(connection, repo, branch)
    except CloudAgentError:
        return  # the App gets no token for it: that's the check `github-app`'s to find, and this one only warns


def _is_protected(repository: github.RepositoryOnGitHub, branch: str) -> bool:
    response = repository.get(f"/rules/branches/{branch}?per_page=100")
    # Not every plan and every GitHub Enterprise Server has rulesets: there may be branch protection all the same.
    rules = response.read(list[_Rule]) if response.status == HTTPStatus.OK else []
    if any(rule.keeps_the_app_out for rule in rules):
        return True
    response = repository.get(f"/branches/{branch}")
    if response.status == HTTPStatus.NOT_FOUND:  # nothing has been pushed yet
        return True
    if response.status != HTTPStatus.OK:
        raise DataUnavailableError(response.summary)
    return bool(response.read(dict[str, Any]).get("protected"))


def _finding(connection: github.GitHub, repo: str, branch: str) -> Finding:
    return Finding(
        resource=f"{repo}, branch {branch}",
        problem=f"The default branch {branch} of {repo} isn't protected: it has neither branch protection nor a rule "
        "that requires an approved pull request or restricts updates.",
        impact="Whoever got hold of a token of the App could change it without a review.",
        remediation="In the repository's settings, add a ruleset for the default branch that requires a pull request "
        "with an approval and blocks force pushes. The App must still be able to push to claude/* "
        "(docs/deploy.md#protect-the-default-branch).",
        confirm=f"gh api repos/{repo}/rules/branches/{quote(branch)}{connection.cli_host} "
        "--jq '.[] | {type, parameters}'",
    )


CHECK = Check(
    name="branch-protection",
    question="Is the default branch of each repository with a session protected?",
    run=run,
    actions=(*rows.ACTIONS, *github.ACTIONS),
    only_warns=True,
)
