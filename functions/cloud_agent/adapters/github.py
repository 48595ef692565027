"""GitHub through PyGithub: one repository, as the steps need it. Each `ensure_` finds what an earlier try made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from github import Auth, Github, GithubException
from github.Comparison import Comparison
from github.GithubException import RateLimitExceededException, UnknownObjectException
from github.Issue import Issue
from github.IssueComment import IssueComment
from urllib3.util import Retry

from cloud_agent.adapters.installation_tokens import STEP_PERMISSIONS, InstallationTokens
from cloud_agent.adapters.secrets import read_github_credentials
from cloud_agent.domain.errors import (
    BranchProtectedError,
    CloudAgentError,
    ConfigurationError,
    GitHubRateLimitedError,
    GitHubRequestError,
    GitHubUnavailableError,
    RepositoryEmptyError,
    RepositoryNotFoundError,
    RepositoryReadOnlyError,
)
from cloud_agent.settings import GitHubSettings

TIMEOUT_SECONDS = 10
_SERVER_ERROR = 500
# A function must not sleep as long as a rate limit's Retry-After says: Step Functions does.
_RETRY = Retry(
    total=2,
    allowed_methods=["GET"],
    status_forcelist=range(500, 600),
    backoff_factor=0.5,
    respect_retry_after_header=False,
)


@dataclass(frozen=True)
class Branch:
    """A session's branch: the commit it left the default branch at, and the empty commit it began with."""

    base_sha: str
    initial_sha: str | None


@dataclass(frozen=True)
class PullRequest:
    """A pull request's number and page."""

    number: int
    url: str


def connect(settings: GitHubSettings, repo: str, installation_id: int | None) -> "GitHubRepository":
    """Open a repository with the deployment's credentials.

    Raises:
        CloudAgentError: as `InstallationTokens.token` and `read_github_credentials` do.
    """
    credentials = read_github_credentials(settings.github_secret_arn)
    tokens = InstallationTokens(settings.github_api_url, credentials)
    token = tokens.token(repo, installation_id, STEP_PERMISSIONS)
    return GitHubRepository(settings.github_api_url, token.value, repo)


class GitHubRepository:
    """One repository.

    Only GETs are retried here: a POST that GitHub answered with an error may still have been carried out, so the
    state is retried instead, and its `ensure_` looks before it writes again. Every method raises the errors of
    `cloud_agent.domain.errors` that `_translated` names.
    """

    def __init__(self, api_url: str, token: str, repo: str) -> None:
        self._name = repo
        self._owner = repo.partition("/")[0]
        self._github = Github(
            auth=Auth.Token(token),
            base_url=api_url,
            lazy=True,
            timeout=TIMEOUT_SECONDS,
            seconds_between_requests=0,
            seconds_between_writes=0,
            retry=_RETRY,
        )
        self._repo = self._github.get_repo(repo)

    def ensure_branch(self, branch: str, default_branch: str, message: str) -> Branch:
        """The branch with one empty commit on top of the default branch. An existing branch keeps what it has.

        One that was merged has nothing of its own left, and GitHub opens no pull request from such a branch: it is
        moved forward to a new empty commit.
        """
        with self._translated():
            base_sha = self._head_of(default_branch)
            base = self._repo.get_git_commit(base_sha)
            initial = self._repo.create_git_commit(message, base.tree, [base])
            try:
                self._repo.create_git_ref(f"refs/heads/{branch}", initial.sha)
            except GithubException as error:
                if not _says(error, 422, "already exists"):
                    raise
                comparison = self._repo.compare(default_branch, branch)
                if comparison.ahead_by:
                    return _begun_branch(comparison, message)
                merged = self._repo.get_git_ref(f"heads/{branch}")
                merged.complete()  # only GitHub's answer names the address at which a ref is written
                merged.edit(initial.sha)
            return Branch(base_sha, initial.sha)

    def ensure_draft_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """The open pull request from the branch; a draft, where the repository's plan has drafts."""
        with self._translated():
            for draft in (True, False):
                try:
                    pull = self._repo.create_pull(base=base, head=branch, title=title, body=body, draft=draft)
                except GithubException as error:
                    if _says(error, 422, "already exists"):
                        pull = self._repo.get_pulls(state="open", head=f"{self._owner}:{branch}")[0]
                    elif draft and _says(error, 422, "draft pull requests are not supported"):
                        continue
                    else:
                        raise
                return PullRequest(pull.number, pull.html_url)
        raise AssertionError("unreachable: the second try returns or raises")

    def ensure_comment(self, number: int, marker: str, body: str) -> int:
        """The id of the one comment that carries the marker; written if it is not there yet."""
        with self._translated():
            issue = self._repo.get_issue(number)
            comment = _find_comment(issue, marker)
            if comment is None:
                return issue.create_comment(body).id
            if comment.body != body:
                comment.edit(body)
            return comment.id

    def replace_comment(self, number: int, marker: str, body: str) -> None:
        """Give the comment that carries the marker this text; where there is none, none is written."""
        with self._translated():
            comment = _find_comment(self._repo.get_issue(number), marker)
            if comment is not None:
                comment.edit(body)

    def ensure_deployment(self, branch: str, environment: str, url: str) -> int:
        """The id of the environment's Deployment of this branch, successful and with `url` as its address."""
        with self._translated():
            existing = list(self._repo.get_deployments(ref=branch, environment=environment))
            deployment = (
                existing[0]
                if existing
                else self._repo.create_deployment(
                    ref=branch,
                    environment=environment,
                    description="The repository's dev server, live while Claude works",
                    required_contexts=[],
                    auto_merge=False,
                    transient_environment=True,
                )
            )
            deployment.create_status("success", environment_url=url, auto_inactive=False)
            return deployment.id

    def end_deployments(self, branch: str, environment: str) -> None:
        """Mark the environment's Deployments of this branch inactive: their address no longer answers."""
        with self._translated():
            for deployment in self._repo.get_deployments(ref=branch, environment=environment):
                deployment.create_status("inactive")

    def _head_of(self, branch: str) -> str:
        try:
            return self._repo.get_git_ref(f"heads/{branch}").object.sha
        except UnknownObjectException:
            # 404 is also the answer for a repository the App does not see: ask for that first.
            self._repo.complete()
            raise RepositoryEmptyError(f"{self._name} has no branch {branch}.") from None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except CloudAgentError:
            raise
        except requests.RequestException as error:
            raise GitHubUnavailableError(f"GitHub did not answer: {type(error).__name__}") from error
        except GithubException as error:
            raise _translate(self._name, error) from error


def _begun_branch(comparison: Comparison, message: str) -> Branch:
    initial = next((commit.sha for commit in comparison.commits if commit.commit.message == message), None)
    return Branch(comparison.merge_base_commit.sha, initial)


def _find_comment(issue: Issue, marker: str) -> IssueComment | None:
    """The oldest comment that carries the marker.

    A marker names its session's id, which nobody knows before our own comment shows it.
    """
    return next((comment for comment in issue.get_comments() if marker in comment.body), None)


def _translate(repo: str, error: GithubException) -> CloudAgentError:
    message = f"{repo}: GitHub answered {error.status}: {_message(error)}"
    if isinstance(error, RateLimitExceededException):
        return GitHubRateLimitedError(message)
    if error.status >= _SERVER_ERROR:
        return GitHubUnavailableError(message)
    if error.status == 422 and ("rule" in _message(error).lower() or "protected" in _message(error).lower()):  # noqa: PLR2004 - Unprocessable, GitHub's answer to a rule violation
        return BranchProtectedError(message)
    by_status: dict[int, type[CloudAgentError]] = {
        401: ConfigurationError,
        403: RepositoryReadOnlyError,
        404: RepositoryNotFoundError,
        409: RepositoryEmptyError,
        429: GitHubRateLimitedError,
    }
    return by_status.get(error.status, GitHubRequestError)(message)


def _says(error: GithubException, status: int, words: str) -> bool:
    return error.status == status and words in _message(error).lower()


def _message(error: GithubException) -> str:
    """GitHub's own words: the message, and those of its list of errors."""
    data: Any = error.data
    if not isinstance(data, dict):
        return str(data)
    errors = data.get("errors") or []
    details = [str(e.get("message", "") if isinstance(e, dict) else e) for e in errors]
    return " ".join(part for part in [str(data.get("message", "")), *details] if part)
