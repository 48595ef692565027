"""GitHub's API over plain HTTP, for the functions that must answer fast: importing PyGithub takes 0.25 s."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from cloud_agent.domain.errors import GitHubRateLimitedError, GitHubUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

# GitHub gives a delivery 10 s to be answered: a question that is asked twice in vain must leave time to say so.
TIMEOUT = Timeout(connect=1, read=3)
_SERVER_ERROR = 500
_NEXT_PAGE = re.compile(r'<([^>]+)>;\s*rel="next"')
# A GET may be asked again at once; a POST that failed may have been carried out all the same.
_RETRY = Retry(
    total=1,
    redirect=False,
    allowed_methods=["GET"],
    status_forcelist=range(500, 600),
    raise_on_status=False,
    respect_retry_after_header=False,
)


@dataclass(frozen=True)
class Answer:
    """What GitHub answered; `document` is None where that is not JSON. `request` says to what: `GET /user`.

    `next_page` is the address of what follows, where GitHub answered with a part of a list.
    """

    request: str
    status: int
    document: Any
    next_page: str | None = None

    @property
    def message(self) -> str:
        """GitHub's own words, if it has any."""
        return str(self.document.get("message", "no message")) if isinstance(self.document, dict) else "no message"

    @property
    def words(self) -> str:
        """The answer in one sentence, for an error."""
        return f"GitHub answered {self.status} to {self.request}: {self.message}"


class GitHubRequests:
    """Requests to one GitHub, by path or, for GraphQL, by full address."""

    def __init__(self, api_url: str) -> None:
        self.api_url = api_url.rstrip("/")
        self._http = urllib3.PoolManager(timeout=TIMEOUT)

    def send(self, method: str, path: str, bearer: str, body: Mapping[str, Any] | None = None) -> Answer:
        """GitHub's answer, whatever it is short of these.

        Raises:
            GitHubUnavailableError: no answer, or a status from 500; only what is safe to send twice was.
            GitHubRateLimitedError: a rate limit is used up.
        """
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {bearer}",
            "User-Agent": "claude-cloud-agent",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        address = path if path.startswith(("http://", "https://")) else self.api_url + path
        try:
            if body is None:
                raw = self._http.request(method, address, headers=headers, retries=_RETRY)
            else:
                raw = self._http.request(method, address, json=body, headers=headers, retries=_RETRY)
        except HTTPError as error:
            reason = getattr(error, "reason", None) or error  # what a retried request failed with in the end
            raise GitHubUnavailableError(f"GitHub did not answer {method} {path}: {type(reason).__name__}") from error
        following = _NEXT_PAGE.search(raw.headers.get("Link", ""))
        answer = Answer(f"{method} {path}", raw.status, _document(raw.data), following[1] if following else None)
        if answer.status >= _SERVER_ERROR:
            raise GitHubUnavailableError(answer.words)
        # As documented: 429, or 403 with these words.
        if answer.status == 429 or (answer.status == 403 and "rate limit" in answer.message.lower()):  # noqa: PLR2004
            raise GitHubRateLimitedError(answer.words)
        return answer


def _document(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
