"""GitHub as the webhook needs it: who may do what, and a word in reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cloud_agent.adapters.aws.secrets import read_github_credentials
from cloud_agent.adapters.github.installation_tokens import CONVERSATION_PERMISSIONS, InstallationTokens
from cloud_agent.adapters.github.requests import Answer, GitHubRequests
from cloud_agent.domain.errors import (
    CloudAgentError,
    ConfigurationError,
    GitHubRequestError,
    GitHubUnavailableError,
    RepositoryNotFoundError,
)

if TYPE_CHECKING:
    from cloud_agent.settings import GitHubSettings

_MAY_WRITE = {"admin", "maintain", "write"}
_GONE = {301, 404, 410}  # transferred, out of sight, deleted
_ADD_EYES = "mutation($subject: ID!) { addReaction(input: {subjectId: $subject, content: EYES}) { clientMutationId } }"


@dataclass(frozen=True)
class Issue:
    """An issue as it stands now."""

    title: str
    body: str
    author: str
    url: str
    is_open: bool
    labels: frozenset[str]


def connect(settings: GitHubSettings, repo: str, installation_id: int | None) -> GitHubApi:
    """Open a repository with the deployment's credentials; a warm worker needs no request for that.

    Raises:
        CloudAgentError: as `InstallationTokens.token` and `read_github_credentials` do.
    """
    tokens = InstallationTokens(settings.github_api_url, read_github_credentials(settings.github_secret_arn))
    token = tokens.remembered_token(repo, installation_id, CONVERSATION_PERMISSIONS)
    return GitHubApi(settings.github_api_url, token.value, repo)


class GitHubApi:
    """One repository.

    Every method raises GitHubUnavailableError or GitHubRateLimitedError, both worth a later try, and
    ConfigurationError, RepositoryNotFoundError or GitHubRequestError where a later try changes nothing.
    """

    def __init__(self, api_url: str, token: str, repo: str) -> None:
        self._requests = GitHubRequests(api_url)
        self._token = token
        self._path = f"/repos/{repo}"

    def has_write_permission(self, login: str) -> bool:
        """Whether this person may push to the repository now; one that GitHub does not know may not."""
        answer = self._send("GET", f"/collaborators/{quote(login, safe='')}/permission", expected={200, 404})
        return answer.status != 404 and _member(answer, "permission") in _MAY_WRITE  # noqa: PLR2004 - Not Found

    def issue(self, number: int) -> Issue | None:
        """Return the issue as it stands now; None when it is gone."""
        answer = self._send("GET", f"/issues/{number}", expected={200} | _GONE)
        if answer.status in _GONE:
            return None
        try:
            document = answer.document
            return Issue(
                title=document["title"],
                body=document["body"] or "",
                author=(document["user"] or {"login": "ghost"})["login"],
                url=document["html_url"],
                is_open=document["state"] == "open",
                labels=frozenset(label["name"] for label in document["labels"]),
            )
        except (KeyError, TypeError) as error:
            raise _not_as_documented(answer) from error

    def ensure_comment(self, number: int, marker: str, body: str, since: datetime) -> None:
        """Write this comment unless a comment written or edited since then begins with the marker.

        A try that GitHub answered with an error may have been carried out all the same: the next one looks first.
        """
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = self._send("GET", f"/issues/{number}/comments?per_page=100&since={moment}", expected={200})
        if not isinstance(found.document, list):
            raise _not_as_documented(found)
        if not any(str(comment.get("body") or "").startswith(marker) for comment in found.document):
            self._send("POST", f"/issues/{number}/comments", {"body": body}, expected={201})

    def add_eyes(self, node_id: str) -> None:
        """Show that a comment or a review has been read. Run twice, it is shown once."""
        body = {"query": _ADD_EYES, "variables": {"subject": node_id}}
        answer = self._requests.send("POST", graphql_url(self._requests.api_url), self._token, body)
        errors = answer.document.get("errors") if isinstance(answer.document, dict) else None
        if answer.status != 200 or errors:  # noqa: PLR2004 - OK, which GraphQL also answers to what it refuses
            reason = "; ".join(str(error.get("message")) for error in errors or []) or answer.message
            raise GitHubRequestError(f"GitHub refused the reaction to {node_id}: {reason}")

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None, *, expected: set[int]) -> Answer:
        answer = self._requests.send(method, self._path + path, self._token, body)
        if answer.status not in expected:
            raise _refusal(answer)
        return answer


def graphql_url(api_url: str) -> str:
    """Where GraphQL is: `/graphql` at github.com, `/api/graphql` beside the `/api/v3` of any other GitHub."""
    api_url = api_url.rstrip("/")
    return api_url.removesuffix("/v3") + "/graphql" if api_url.endswith("/api/v3") else api_url + "/graphql"


def _member(answer: Answer, name: str) -> Any:  # noqa: ANN401 - whatever JSON
    try:
        return answer.document[name]
    except (KeyError, TypeError) as error:
        raise _not_as_documented(answer) from error


def _not_as_documented(answer: Answer) -> GitHubUnavailableError:
    return GitHubUnavailableError(f"GitHub's answer to {answer.request} is not as documented.")


def _refusal(answer: Answer) -> CloudAgentError:
    by_status = {
        401: ConfigurationError(answer.words + " (check the GitHub secret)"),
        403: ConfigurationError(answer.words + " (grant Issues and Pull requests: write)"),
        404: RepositoryNotFoundError(answer.words),
    }
    return by_status.get(answer.status) or GitHubRequestError(answer.words)
