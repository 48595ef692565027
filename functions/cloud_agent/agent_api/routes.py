"""How a route of the Agent API is declared: its path, what it reads and what it responds with.

The declaration is what runs and what contracts/agent_api.openapi.json is made of, so the two can't differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel

from cloud_agent.agent_api.requests import (
    TEXT_BODY_LIMIT,
    entity_tag,
    not_modified,
    open_session,
    read,
    respond,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
    from pydantic import TypeAdapter

    from cloud_agent.domain.session.session import Session

    Open = Callable[[APIGatewayProxyEventV2], Session]

B = TypeVar("B")
R = TypeVar("R", bound=BaseModel)
Method = Literal["GET", "POST"]


@dataclass(frozen=True)
class Route:
    """One operation of the API. `description` is its handler's docstring; `body` is None where it reads none.

    One that is `conditional` responds with 304 to whoever has what it would respond with.
    """

    name: str
    description: str
    method: Method
    path: str
    body: TypeAdapter[Any] | None
    response: type[BaseModel]
    conditional: bool = False


class Routes:
    """Routes that belong together. Each opens its session before it reads a byte of the body.

    So whoever has no token learns nothing of what a body has to look like.
    """

    def __init__(self) -> None:
        self.router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]  # Powertools does not annotate it
        self.declared: list[Route] = []

    def request(
        self, method: Method, path: str, response: type[R], *, version: Callable[[Session], str] | None = None
    ) -> Callable[[Callable[[Session], R]], Callable[[Session], R]]:
        """Declare a route without a body: its handler gets the session.

        `version` names what the handler would respond with, from the session's row alone. Whoever sends that name back
        (If-None-Match) is spared the rest: the handler isn't called.
        """

        def declare(handler: Callable[[Session], R]) -> Callable[[Session], R]:
            def handle() -> Response[str]:
                event = self.router.current_event
                session = open_session(event)
                current = version(session) if version else None
                if current is not None and event.headers.get("if-none-match") == entity_tag(current):
                    return not_modified(current)
                return respond(HTTPStatus.OK, handler(session), version=current)

            route = _described(handler, method, path, None, response)
            self._add(handle, replace(route, conditional=version is not None))
            return handler

        return declare

    def report(
        self,
        path: str,
        body: TypeAdapter[B],
        response: type[R],
        *,
        opened: Open = open_session,
        body_limit: int = TEXT_BODY_LIMIT,
    ) -> Callable[[Callable[[Session, B], R]], Callable[[Session, B], R]]:
        """Declare a POST with a body: its handler gets the session and what `body` made of the request's.

        A session that was asked to end is refused, unless the handler wants it `opened` in another way. A longer
        body than `body_limit`, in characters, isn't read.
        """

        def declare(handler: Callable[[Session, B], R]) -> Callable[[Session, B], R]:
            def handle() -> Response[str]:
                event = self.router.current_event
                session = opened(event)
                return respond(HTTPStatus.OK, handler(session, read(event, body, body_limit)))

            self._add(handle, _described(handler, "POST", path, body, response))
            return handler

        return declare

    def _add(self, handle: Callable[[], Response[str]], route: Route) -> None:
        self.router.route(route.path, method=route.method)(handle)
        self.declared.append(route)


def _described(
    handler: Callable[..., R], method: Method, path: str, body: TypeAdapter[Any] | None, response: type[R]
) -> Route:
    return Route(handler.__name__, handler.__doc__ or "", method, path, body, response)
