"""GitHub through PyGithub: one repository, as steps and publishing need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from github import Auth, Github, GithubException
from github.GithubException import UnknownObjectException
from urllib3.util import Retry

from cloud_agent.adapters.aws.secrets import read_github_credentials
from cloud_agent.adapters.github.errors import says, translated
from cloud_agent.adapters.github.installation_tokens import STEP_PERMISSIONS, InstallationTokens
from cloud_agent.domain.errors import DefaultBranchNotFoundError
from cloud_agent.domain.session.provenance import Commit

if TYPE_CHECKING:
    from github.Commit import Commit as GithubCommit
    from github.Comparison import Comparison

    from cloud_agent.settings import GitHubSettings

TIMEOUT_SECONDS = 10
_PAGE = 100  # the most that GitHub gives
_COMPARISON_PAGE = 250  # commits; few branches need a second request
# A function must not sleep as long as a rate limit's Retry-After says: whoever called it retries later.
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


def connect(settings: GitHubSettings, repo: str, installation_id: int | None) -> GitHubRepository:
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
    caller tries again and looks first. Every method raises the errors of `cloud_agent.domain.errors` that
    `github_errors.translate` names.
    """

    def __init__(self, api_url: str, token: str, repo: str) -> None:
        self._name = repo
        self._owner = repo.partition("/")[0]
        self._github = Github(
            auth=Auth.Token(token),
            base_url=api_url,
            lazy=True,
            timeout=TIMEOUT_SECONDS,
            per_page=_PAGE,
            seconds_between_requests=0,
            seconds_between_writes=0,
            retry=_RETRY,
        )
        self._repo = self._github.get_repo(repo)

    # ------------------------------------------------------------ branch and pull request

    def ensure_branch(self, branch: str, default_branch: str, message: str) -> Branch:
        """Create the branch with one empty commit on top of the default branch. An existing branch keeps what it has.

        One that was merged has nothing of its own left, and GitHub opens no pull request from such a branch: it is
        moved forward to a new empty commit.
        """
        with translated(self._name):
            base_sha = self._head_of(default_branch)
            base = self._repo.get_git_commit(base_sha)
            initial = self._repo.create_git_commit(message, base.tree, [base])
            try:
                self._repo.create_git_ref(f"refs/heads/{branch}", initial.sha)
            except GithubException as error:
                if not says(error, 422, "already exists"):
                    raise
                comparison = self._repo.compare(default_branch, branch)
                if comparison.ahead_by:
                    return _begun_branch(comparison, message)
                merged = self._repo.get_git_ref(f"heads/{branch}")
                merged.complete()  # only GitHub's answer names the address at which a ref is written
                merged.edit(initial.sha)
            return Branch(base_sha, initial.sha)

    def ensure_draft_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open the pull request from the branch, or find it; a draft, where the repository's plan has drafts."""
        with translated(self._name):
            for draft in (True, False):
                try:
                    pull = self._repo.create_pull(base=base, head=branch, title=title, body=body, draft=draft)
                except GithubException as error:
                    if says(error, 422, "already exists"):
                        pull = self._repo.get_pulls(state="open", head=f"{self._owner}:{branch}")[0]
                    elif draft and says(error, 422, "draft pull requests are not supported"):
                        continue
                    else:
                        raise
                return PullRequest(pull.number, pull.html_url)
        raise AssertionError("unreachable: the second try returns or raises")

    def mark_ready_for_review(self, pull_number: int) -> bool:
        """Make an open draft ready for review; returns False where there is nothing to do. Two requests."""
        with translated(self._name):
            pull = self._repo.get_pull(pull_number)
            if not pull.draft or pull.state != "open":
                return False
            pull.mark_ready_for_review()
            return True

    def compare(self, base: str, head: str) -> list[Commit] | None:
        """Return the commits that only `head` has, oldest first, `head`'s own last; None if a branch is gone."""
        with translated(self._name):
            try:
                comparison = self._repo.compare(base, head, comparison_commits_per_page=_COMPARISON_PAGE)
                return [_commit(commit) for commit in comparison.commits]
            except UnknownObjectException:
                return None

    # ------------------------------------------------------------ comments

    def create_comment(self, number: int, body: str) -> int:
        """Comment on an issue or pull request; returns the comment's id."""
        with translated(self._name):
            return self._repo.get_issue(number).create_comment(body).id

    def edit_comment(self, number: int, comment_id: int, body: str) -> bool:
        """Give a comment this text; returns False when it is gone."""
        with translated(self._name):
            try:
                self._repo.get_issue(number).get_comment(comment_id).edit(body)
            except UnknownObjectException:
                return False
            return True

    def find_comment(self, number: int, marker: str) -> int | None:
        """Return the id of the oldest comment that begins with the marker."""
        with translated(self._name):
            comments = self._repo.get_issue(number).get_comments()
            return next((comment.id for comment in comments if comment.body.startswith(marker)), None)

    def reply_to_review_comment(self, pull_number: int, comment_id: int, body: str) -> int | None:
        """Answer in a review comment's thread; returns the reply's id, or None when the thread is gone.

        GitHub takes replies to a thread's first comment only: for any other, that one is looked up.
        """
        with translated(self._name):
            pull = self._repo.get_pull(pull_number)
            try:
                try:
                    return pull.create_review_comment_reply(comment_id, body).id
                except GithubException as error:
                    if error.status != 422:  # noqa: PLR2004 - Unprocessable, GitHub's answer to a reply to a reply
                        raise
                    first = pull.get_review_comment(comment_id).in_reply_to_id
                    if first is None:
                        raise
                    return pull.create_review_comment_reply(first, body).id
            except UnknownObjectException:
                return None

    def find_review_reply(self, pull_number: int, marker: str) -> int | None:
        """Return the id of the oldest review comment that begins with the marker."""
        with translated(self._name):
            comments = self._repo.get_pull(pull_number).get_review_comments()
            return next((comment.id for comment in comments if comment.body.startswith(marker)), None)

    # ------------------------------------------------------------ Deployments

    def create_deployment(self, branch: str, environment: str, session_id: str) -> int:
        """Create a Deployment of the branch, or find the one that carries the session's id; returns its own."""
        with translated(self._name):
            return self._repo.create_deployment(
                ref=branch,
                environment=environment,
                description="The repository's dev server, live while Claude works",
                payload={"session_id": session_id},
                required_contexts=[],
                auto_merge=False,
                transient_environment=True,
            ).id

    def find_deployment(self, environment: str, session_id: str) -> int | None:
        """Return the id of the environment's Deployment that carries the session's id."""
        with translated(self._name):
            deployments = self._repo.get_deployments(environment=environment)
            return next((one.id for one in deployments if one.payload == {"session_id": session_id}), None)

    def set_deployment_state(self, deployment_id: int, state: str, log_url: str, environment_url: str = "") -> None:
        """Say how a Deployment goes. Others of its environment are left as they are.

        `target_url` is the older name of `log_url`, which PyGithub has no argument for.
        """
        with translated(self._name):
            self._repo.get_deployment(deployment_id).create_status(
                state, target_url=log_url, environment_url=environment_url, auto_inactive=False
            )

    def _head_of(self, branch: str) -> str:
        try:
            return self._repo.get_git_ref(f"heads/{branch}").object.sha
        except UnknownObjectException:
            # 404 is also the answer for a repository the App does not see: ask for that first.
            self._repo.complete()
            raise DefaultBranchNotFoundError(f"{self._name} has no branch {branch}.") from None


def _begun_branch(comparison: Comparison, message: str) -> Branch:
    initial = next((commit.sha for commit in comparison.commits if commit.commit.message == message), None)
    return Branch(comparison.merge_base_commit.sha, initial)


def _commit(commit: GithubCommit) -> Commit:
    subject = commit.commit.message.partition("\n")[0]
    return Commit(commit.sha, subject, commit.html_url, tuple(parent.sha for parent in commit.parents))
