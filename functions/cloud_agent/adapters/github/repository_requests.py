"""Requests about one repository, with a token of it: what GitHub refuses is an error of the domain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from cloud_agent.adapters.github.errors import of_repository
from cloud_agent.adapters.github.requests import JSON
from cloud_agent.domain.errors import GitHubRequestError, NodeNotFoundError
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloud_agent.adapters.github.requests import GitHubRequests, Response
    from cloud_agent.domain.session.repository import GitHubRepository

T = TypeVar("T")
_BY_NUMBER = re.compile(r"/repositories/(\d+)(?![^/?])")
_MOST_REDIRECTS = 2  # from the repository's former name, and from its branch's


class RepositoryRequests:
    """GitHub's REST API below `/repos/<owner>/<name>`, and its GraphQL API.

    A repository that has been renamed or transferred is followed to where it is now. What was moved out of it into
    another one, such as an issue, isn't.
    """

    def __init__(
        self,
        requests: GitHubRequests,
        token: str,
        repository: GitHubRepository,
        on_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        self._requests = requests
        self._token = token
        self._on_refusal = on_refusal
        self._repository_id = repository.id
        self.repo = repository.name

    def send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        expected: frozenset[int] = frozenset(),
        accept: str = JSON,
    ) -> Response:
        """Send a request; a success, or a status that is expected, is returned.

        Raises:
            CloudAgentError: as `GitHubRequests.send` and `errors.of_repository` say.
        """
        response = self._requests.send(method, self._address(path), self._token, body, accept=accept)
        for _ in range(_MOST_REDIRECTS):
            if response.location is None or not self._leads_home(response.location):
                break
            response = self._requests.send(method, response.location, self._token, body, accept=accept)
        if response.status // 100 != 2 and response.status not in expected:  # noqa: PLR2004 - any success
            raise self.refused(response)
        return response

    def refused(self, response: Response) -> Exception:
        """Return the error, and see to it that the next connection does not have the same token."""
        self._on_refusal()
        return of_repository(response)

    def pages(self, path: str, model: type[T], *, expected: frozenset[int] = frozenset()) -> Iterator[T]:
        """Every page of a list, each read when it is needed; nothing where the first has an expected status."""
        following: str | None = path
        while following is not None:
            response = self.send("GET", following, expected=expected)
            if response.status in expected:
                return
            yield response.read(model)
            following = response.next_page

    def graphql(
        self, operation: str, *, expected: frozenset[str] = frozenset(), **variables: str | int | Sequence[str] | None
    ) -> Response:
        """Run a GraphQL query, which is sent again as a GET is, or a mutation, with these variables.

        Parts that are missing for an `expected` type of error are null.

        Raises:
            NodeNotFoundError: there is nothing with the global id, or nothing that the App may see.
            GitHubRequestError: it is refused, which GraphQL says with a status of 200 as well.
        """
        response = self._graphql(operation, variables)
        unexpected = response.error_types - expected
        if unexpected == {"NOT_FOUND"}:
            raise NodeNotFoundError(response.summary)
        if response.status != 200 or unexpected:  # noqa: PLR2004 - OK
            self._on_refusal()
            raise GitHubRequestError(response.summary)
        return response

    def mutate(self, operation: str, **variables: str | None) -> dict[str, Any]:
        """Run the mutations of one document; return what each that was carried out responds, by its name there.

        Raises:
            GitHubRequestError: the document as a whole is refused; nothing is carried out.
        """
        response = self._graphql(operation, variables)
        document = response.document if isinstance(response.document, dict) else {}
        done, errors = document.get("data"), document.get("errors") or []
        if response.status != 200 or not isinstance(done, dict):  # noqa: PLR2004 - OK
            self._on_refusal()
            raise GitHubRequestError(response.summary)
        refused = {str(path[0]) for error in errors if (path := error.get("path"))}
        if refused:
            logger.warning("mutations refused", extra={"names": sorted(refused), "reason": response.summary})
        return {name: one for name, one in done.items() if one is not None and name not in refused}

    def _graphql(self, operation: str, variables: dict[str, Any]) -> Response:
        address, body = graphql_url(self._requests.api_url), {"query": operation, "variables": variables}
        is_query = operation.startswith("query")
        return self._requests.send("POST", address, self._token, body, repeatable=is_query)

    def _leads_home(self, address: str) -> bool:
        """Whether an address is of this GitHub, which alone may see the token, and of no other repository."""
        api_url = self._requests.api_url
        other = _BY_NUMBER.match(address.removeprefix(api_url))
        return address.startswith(f"{api_url}/") and (other is None or int(other[1]) == self._repository_id)

    def _address(self, path: str) -> str:
        return path if path.startswith(("http://", "https://")) else f"/repos/{self.repo}{path}"


def graphql_url(api_url: str) -> str:
    """Where GraphQL is: `/graphql` at github.com, `/api/graphql` beside the `/api/v3` of any other GitHub."""
    api_url = api_url.rstrip("/")
    return api_url.removesuffix("/v3") + "/graphql" if api_url.endswith("/api/v3") else api_url + "/graphql"
