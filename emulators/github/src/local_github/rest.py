"""How a REST request becomes a call of one function, and its result an answer."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from anyio import to_thread
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_github.actors import (
    Actor,
    Anonymous,
    App,
    AppClient,
    Installation,
    Person,
    PersonThroughApp,
    identify,
)
from local_github.attachments import FULL_MEDIA_TYPE, full
from local_github.errors import (
    ApiError,
    BadRequestError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from local_github.permissions import Needs, authorize
from local_github.site import Acting, Repository, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request

    from local_github.storage import Storage

PREFIX = "/api/v3"
_PAGE_SIZE, _LARGEST_PAGE_SIZE = 30, 100
_LARGEST_INTEGER = 2**31 - 1
_REQUIRED: Any = object()


@dataclass(frozen=True)
class Reply:
    """An answer; `document` None has no body."""

    document: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request: who asks, what the address and the query say, and the JSON body."""

    site: Site
    actor: Actor
    url: str
    path: Mapping[str, Any]
    query: Mapping[str, str]
    body: Any

    @property
    def storage(self) -> Storage:
        """The site's storage."""
        return self.site.storage

    def has(self, name: str) -> bool:
        """Tell whether the body says anything of `name`."""
        return isinstance(self.body, dict) and name in self.body

    def value(self, name: str, kind: type | tuple[type, ...], word: str, default: Any = _REQUIRED) -> Any:  # noqa: ANN401 - JSON
        """Return a member of the body, or the default when it is missing or null.

        Raises:
            InvalidError: it is missing and has no default, or it is of another type.
        """
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if value is None:
            if default is _REQUIRED:
                raise InvalidError(f'Invalid request.\n\n"{name}" wasn\'t supplied.')
            return default
        too_large = isinstance(value, int) and abs(value) > _LARGEST_INTEGER
        if too_large or not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            shown = json.dumps(value)[:80]
            raise InvalidError(f"Invalid request.\n\nFor 'properties/{name}', {shown} is not {word}.")
        return value

    def text(self, name: str, default: Any = _REQUIRED) -> Any:  # noqa: ANN401 - str, or the default's type
        """Return a string of the body; see `value`."""
        return self.value(name, str, "a string", default)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean of the body; see `value`."""
        return bool(self.value(name, bool, "a boolean", default))

    def items(self, name: str, default: Any = _REQUIRED) -> list[Any]:  # noqa: ANN401 - JSON
        """Return a list of the body; see `value`."""
        return list(self.value(name, list, "an array", default))

    def words(self, name: str, default: Any = _REQUIRED) -> list[str]:  # noqa: ANN401 - JSON
        """Return a list of strings of the body; see `value`."""
        words = self.items(name, default)
        if not all(isinstance(word, str) for word in words):
            raise InvalidError(f"Invalid request.\n\nFor 'properties/{name}', an item is not a string.")
        return words

    def page(self, rows: Sequence[Any], describe: Callable[[Any], Any], **around: Any) -> Reply:  # noqa: ANN401 - JSON
        """Answer with the page of `rows` the query asks for, each described, with links to the other pages.

        With `around`, the list is the member `around["key"]` of a document with the other members.
        """
        size = min(max(_number(self.query.get("per_page"), _PAGE_SIZE), 1), _LARGEST_PAGE_SIZE)
        page = max(_number(self.query.get("page"), 1), 1)
        documents = [describe(row) for row in rows[(page - 1) * size : page * size]]
        links = self._links(page, max(math.ceil(len(rows) / size), 1))
        key = around.pop("key", None)
        return Reply({**around, key: documents} if key else documents, headers={"Link": links} if links else {})

    def _links(self, page: int, last: int) -> str:
        targets = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            targets = {"prev": min(page - 1, last), "first": 1}
        if page == 1:
            targets = {name: target for name, target in targets.items() if name in {"next", "last"}}
        if last == 1 and page == 1:
            return ""
        address = {name: f"{self.url}?{urlencode({**self.query, 'page': to})}" for name, to in targets.items()}
        return ", ".join(f'<{url}>; rel="{name}"' for name, url in address.items())


@dataclass(frozen=True)
class RepositoryCall(Call):
    """A request about one repository, which the actor may see and, for what the endpoint needs, use."""

    repo: Repository

    @property
    def acting(self) -> Acting:
        """The actor at work on the repository."""
        return Acting(self.site, self.repo, self.actor.login)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default  # noqa: PLR2004 - far below SQLite's limit


# Endpoints


def repository_route(method: str, path: str, endpoint: Callable[[RepositoryCall], Reply], needs: Needs) -> Route:
    """Serve /repos/{owner}/{repo}<path> to actors that have what `needs` says."""

    def answer(call: Call) -> Reply:
        names = dict(call.path)
        repo = call.site.repository(names.pop("owner"), names.pop("repo"))
        authorize(call.site, call.actor, repo, needs)
        return endpoint(RepositoryCall(call.site, call.actor, call.url, names, call.query, call.body, repo))

    return _route(method, "/repos/{owner}/{repo}" + path, answer)


def public_route(method: str, path: str, endpoint: Callable[[Call], Reply]) -> Route:
    """Serve an address to everybody."""
    return _route(method, path, endpoint)


def user_route(method: str, path: str, endpoint: Callable[[Call], Reply]) -> Route:
    """Serve an address to people, and to the App where it acts for one."""
    return _route(method, path, _only_for(Person, endpoint))


def person_route(method: str, path: str, endpoint: Callable[[Call], Reply]) -> Route:
    """Serve an address to people with a token of their own."""

    def answer(call: Call) -> Reply:
        if isinstance(call.actor, PersonThroughApp):
            raise ForbiddenError.for_integration()
        return endpoint(call)

    return _route(method, path, _only_for(Person, answer))


def site_admin_route(method: str, path: str, endpoint: Callable[[Call], Reply]) -> Route:
    """Serve an address to the site's administrator."""

    def answer(call: Call) -> Reply:
        if not (isinstance(call.actor, Person) and call.actor.is_site_admin):
            raise ForbiddenError("Must be a site administrator")
        return endpoint(call)

    return _route(method, path, _only_for(Person, answer))


def installation_route(method: str, path: str, endpoint: Callable[[Call], Reply]) -> Route:
    """Serve an address to holders of an installation token."""
    return _route(method, path, _only_for(Installation, endpoint))


def app_route(method: str, path: str, endpoint: Callable[[Call], Reply]) -> Route:
    """Serve an address to the App, proven by its JWT."""
    return _route(method, path, _only_for(App, endpoint))


def app_client_route(method: str, path: str, endpoint: Callable[[Call], Reply]) -> Route:
    """Serve an address to the App's web server, proven by client id and secret."""
    return _route(method, path, _only_for(AppClient, endpoint))


def _only_for(kind: type, endpoint: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    def answer(call: Call) -> Reply:
        if isinstance(call.actor, kind):
            return endpoint(call)
        if kind is App:
            raise UnauthenticatedError("A JSON web token could not be decoded")
        if isinstance(call.actor, Anonymous):
            raise UnauthenticatedError("Requires authentication")
        raise ForbiddenError.for_integration()

    return answer


def _route(method: str, path: str, endpoint: Callable[[Call], Reply]) -> Route:
    async def serve(request: Request) -> Response:
        content = await request.body()
        return await to_thread.run_sync(_answer, request, content, endpoint)

    return Route(PREFIX + path, serve, methods=[method])


def _answer(request: Request, content: bytes, endpoint: Callable[[Call], Reply]) -> Response:
    """Run the endpoint in a transaction of its own: a failed request leaves nothing behind."""
    site: Site = request.app.state.site
    url = site.base_url + request.url.path
    with site.storage.transaction():
        actor = request.state.actor = identify(site, request.headers.get("authorization", ""))
        body = parse_json(content) if request.method != "GET" else {}
        reply = endpoint(Call(site, actor, url, request.path_params, dict(request.query_params), body))
        if FULL_MEDIA_TYPE in request.headers.get("accept", ""):
            reply = replace(reply, document=full(site, reply.document))
    return respond(reply)


def respond(reply: Reply) -> Response:
    """Return the HTTP answer with the headers GitHub's have. Nothing is rate limited here, and they say so."""
    headers = {
        "X-GitHub-Request-Id": uuid.uuid4().hex[:20].upper(),
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": "4999",
        "X-RateLimit-Reset": "4102444800",
        "X-RateLimit-Used": "1",
        "X-RateLimit-Resource": "core",
        **reply.headers,
    }
    if reply.document is None:
        return Response(status_code=reply.status, headers=headers)
    return JSONResponse(reply.document, reply.status, headers=headers)


def respond_error(error: ApiError) -> Response:
    """Return the HTTP answer of a refused request."""
    return respond(Reply(error.document(), error.status))


def parse_json(content: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a request body, an empty one being {}.

    Raises:
        BadRequestError: it is no JSON object or array, or holds text that is no Unicode.
    """
    try:
        body = json.loads(content or b"{}")
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequestError("Problems parsing JSON") from error
    if not isinstance(body, dict | list):
        raise BadRequestError("Body should be a JSON object")
    return body


def found(row: Any) -> Any:  # noqa: ANN401 - whatever was looked up
    """Return what was looked up.

    Raises:
        NotFoundError: it is None.
    """
    if row is None:
        raise NotFoundError
    return row
