"""GitHub's API over plain HTTP: urllib3, which boto3 brings along, takes no time of its own to import."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

import urllib3
from pydantic import TypeAdapter, ValidationError
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from cloud_agent.adapters.github.errors import passing
from cloud_agent.domain.errors import GitHubUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
JSON = "application/vnd.github+json"
_REDIRECTS = frozenset({301, 302, 307, 308})
_NEXT_PAGE = re.compile(r'<([^>]+)>;\s*rel="next"')


@dataclass(frozen=True)
class Patience:
    """How long a caller waits for GitHub, and how often a GET is sent."""

    timeout: Timeout
    retry: Retry


def _retry(total: int, *, backoff_factor: float) -> Retry:
    """Only a GET is sent again: a POST that failed may have been carried out all the same. Redirects are responses.

    A function must not sleep as long as a rate limit's Retry-After says: whoever called it retries later.
    """
    return Retry(
        total=total,
        redirect=False,
        allowed_methods=["GET"],
        status_forcelist=range(500, 600),
        backoff_factor=backoff_factor,
        raise_on_status=False,
        respect_retry_after_header=False,
    )


# GitHub gives a delivery 10 s to be answered: a request that is sent twice in vain must leave time to say so.
SHORT = Patience(Timeout(connect=1, read=3), _retry(1, backoff_factor=0))
LONG = Patience(Timeout(10), _retry(2, backoff_factor=0.5))


@dataclass(frozen=True)
class Response:
    """A response of GitHub; `document` is None where that is not JSON. `request` says to what: `GET /user`.

    `next_page` is the address of what follows, where GitHub sent a part of a list; `location` where a redirect leads.
    """

    request: str
    status: int
    document: Any
    next_page: str | None = None
    location: str | None = None

    @property
    def message(self) -> str:
        """GitHub's own words, if it has any: the message, and those of its list of errors."""
        document = self.document if isinstance(self.document, dict) else {}
        errors = document.get("errors")
        details = [
            str(one.get("message", "") if isinstance(one, dict) else one)
            for one in (errors if isinstance(errors, list) else [])
        ]
        return " ".join(part for part in [str(document.get("message", "")), *details] if part) or "no message"

    @property
    def summary(self) -> str:
        """The response in one sentence, for an error."""
        return f"GitHub answered {self.status} to {self.request}: {self.message}"

    @property
    def error_types(self) -> frozenset[str]:
        """The types of GraphQL's errors; of one without a type, nothing but that there is one."""
        errors = self.document.get("errors") if isinstance(self.document, dict) else None
        return frozenset(str(one.get("type", "")) for one in errors or [] if isinstance(one, dict))

    def refuses(self, status: int, words: str) -> bool:
        """Whether GitHub refused with this status and in these words."""
        return self.status == status and words in self.message.lower()

    def read(self, model: type[T]) -> T:
        """Return the document, checked.

        Raises:
            GitHubUnavailableError: it is not as GitHub documents it.
        """
        try:
            return TypeAdapter(model).validate_python(self.document)
        except ValidationError as error:
            raise GitHubUnavailableError(
                f"GitHub's {self.status} response to {self.request} is not as documented."
            ) from error


class GitHubRequests:
    """Requests to one GitHub, by path or, for GraphQL and further pages, by full address."""

    def __init__(self, api_url: str, patience: Patience = SHORT) -> None:
        self.api_url = api_url.rstrip("/")
        self._patience = patience
        self._http = urllib3.PoolManager(timeout=patience.timeout)

    def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        bearer: str,
        body: Mapping[str, Any] | None = None,
        *,
        repeatable: bool = False,
        accept: str = JSON,
    ) -> Response:
        """GitHub's response, whatever it is short of these. A request that is `repeatable` changes nothing.

        Raises:
            GitHubUnavailableError: no response, or a status from 500; only what is safe to send twice was.
            GitHubRateLimitedError: a rate limit is used up.
        """
        headers = {
            "Accept": accept,
            "Authorization": f"Bearer {bearer}",
            "User-Agent": "claude-cloud-agent",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        address = path if path.startswith(("http://", "https://")) else self.api_url + path
        retry = self._patience.retry.new(allowed_methods=None) if repeatable else self._patience.retry
        try:
            if body is None:
                raw = self._http.request(method, address, headers=headers, retries=retry)
            else:
                raw = self._http.request(method, address, json=body, headers=headers, retries=retry)
        except HTTPError as error:
            reason = getattr(error, "reason", None) or error  # what a retried request failed with in the end
            raise GitHubUnavailableError(
                f"GitHub did not respond to {method} {path}: {type(reason).__name__}"
            ) from error
        following = _NEXT_PAGE.search(raw.headers.get("Link", ""))
        leads_to = raw.headers.get("Location") if raw.status in _REDIRECTS else None
        location = urljoin(address, leads_to) if leads_to else None
        next_page = following[1] if following else None
        response = Response(f"{method} {path}", raw.status, _document(raw.data), next_page, location)
        if error_of_github := passing(response):
            raise error_of_github
        return response


def _document(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
