"""What has been asked of the API, for those who count calls."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from starlette.routing import Match

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 10_000  # requests kept; a session needs some dozens
EXCHANGE_PATH = "/login/oauth/access_token"
_REST, _ADMIN = "/api/v3", "/api/v3/admin"


def api_path(path: str) -> str | None:
    """Return the path of a program's request as the API knows it, or None for pages and for /admin.

    `/api/v3/repos/a/b` is `/repos/a/b`, `/api/graphql` is `/graphql`; `/a/b.git/info/refs` and `EXCHANGE_PATH` are
    themselves.
    """
    if path == _ADMIN or path.startswith(f"{_ADMIN}/"):
        return None
    if path.startswith(f"{_REST}/"):
        return path.removeprefix(_REST)
    if path.startswith("/api/"):
        return path.removeprefix("/api")
    return path if ".git/" in path or path == EXCHANGE_PATH else None


class RequestLog:
    """The last LIMIT requests in the order in which they ended; ids count from 1 and are never used again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=LIMIT)
        self._ids = count(1)

    def add(self, **entry: Any) -> None:  # noqa: ANN401 - JSON
        """Write down a request that has ended."""
        with self._lock:
            self._entries.append({"id": next(self._ids), **entry})

    def since(self, request_id: int) -> list[dict[str, Any]]:
        """Return the requests after that id which are still kept, the oldest first."""
        with self._lock:
            return [entry for entry in self._entries if entry["id"] > request_id]


class RequestLogging:
    """ASGI middleware that writes down each request to REST, GraphQL and git, and for user tokens.

    What handles a request tells more of it in the scope's state: `actor`, `operation` (of GraphQL), `fault`.
    """

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its entry is there as soon as the client has the answer's last byte."""
        if scope["type"] != "http" or api_path(scope["path"]) is None:
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        arrived, started = datetime.now(UTC), time.monotonic()
        status: int | None = None
        recorded = False

        def record() -> None:
            nonlocal recorded
            if not recorded:
                recorded = True
                self._log.add(**_entry(scope, state, arrived, status, time.monotonic() - started))

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not message.get("more_body"):
                record()
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            record()  # the connection was closed without an answer


def _entry(
    scope: Scope, state: dict[str, Any], arrived: datetime, status: int | None, seconds: float
) -> dict[str, Any]:
    actor = state.get("actor")
    return {
        "time": arrived.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "method": scope["method"],
        "path": api_path(scope["path"]),
        "route": _route(scope),
        "operation": state.get("operation"),
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "actor": {"type": type(actor).__name__, "login": actor.login} if actor else None,
        "fault": state.get("fault"),
    }


def _route(scope: Scope) -> str | None:
    """Return the pattern of the address, without the part that is the same for all of the REST API."""
    for route in scope["app"].routes:
        if route.matches(scope)[0] is Match.FULL:
            return api_path(route.path)
    return None
