"""The one way to the model: a gateway on 127.0.0.1 that holds the credential, and counts and limits what is used.

Claude's shell sees every variable of its environment, so the credential must not be there. The placeholder that is
there works with this gateway alone, for one turn. Whoever has it, be it Claude Code or a command that it runs, gets the
session's own model, within the session's limits.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from cloud_agent_runner.authorities import authorities
from cloud_agent_runner.model.access import called_model
from cloud_agent_runner.model.forwarder import MAX_REQUEST_BYTES, Forwarder, RefusedError
from cloud_agent_runner.model.response_text import TurnTexts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

    from cloud_agent_runner.model.api import ModelApi
    from cloud_agent_runner.model.budget import Limit, ModelBudget

# A long response is silent between its parts for minutes; 10 min is the Anthropic SDK's own limit.
_TIMEOUT = httpx.Timeout(600, connect=10)


@dataclass
class GatewayTurn:
    """One turn at the gateway: its Claude Code's variables, the limit that stopped one of its calls, what was said."""

    environment: dict[str, str]
    key: str
    refused_for: Limit | None = None
    is_over: bool = False
    texts: TurnTexts = field(default_factory=TurnTexts)


class ModelGateway:
    """The gateway while it is being served. It is closed except during a turn."""

    def __init__(self, url: str, api: ModelApi, budget: ModelBudget) -> None:
        self.url = url
        self.api = api
        self.budget = budget
        self._turn: GatewayTurn | None = None

    def pin(self, model: str) -> None:
        """Serve this model, and no other, from the next turn on."""
        self.api.model = called_model(model)

    @contextmanager
    def turn(self) -> Iterator[GatewayTurn]:
        """Open the gateway to whoever has this turn's key, while the context lasts."""
        key = f"placeholder-{secrets.token_hex(16)}"
        turn = self._turn = GatewayTurn(self.api.environment(self.url, key), key)
        try:
            yield turn
        finally:
            turn.is_over = True
            self._turn = None

    def turn_of(self, request: Request) -> GatewayTurn:
        """Return the turn that a request belongs to.

        Raises:
            RefusedError: no turn is running, or the key isn't that turn's.
        """
        if self._turn is None:
            raise RefusedError(403, "permission_error", "This gateway is closed: no turn is running.")
        given = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        # As bytes, because a header may hold what isn't ASCII.
        if not secrets.compare_digest(given.encode(), self._turn.key.encode()):
            raise RefusedError(401, "authentication_error", "This gateway serves its own session only.")
        return self._turn


@asynccontextmanager
async def model_gateway(api: ModelApi, budget: ModelBudget) -> AsyncIterator[ModelGateway]:
    """Serve `api` on 127.0.0.1 at a free port while the context lasts, and meter its calls into `budget`."""
    listener = socket.create_server(("127.0.0.1", 0))
    gateway = ModelGateway(f"http://127.0.0.1:{listener.getsockname()[1]}", api, budget)
    async with httpx.AsyncClient(timeout=_TIMEOUT, verify=authorities()) as upstream:
        forwarder = Forwarder(gateway, upstream)
        routes = [
            Route(path, forwarder, methods=["POST"], max_body_size=MAX_REQUEST_BYTES)
            for path in (*api.paths, *api.free_paths)
        ]
        config = uvicorn.Config(
            Starlette(routes=routes),
            http="h11",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield gateway
        finally:
            server.should_exit = True
            await serving
            await forwarder.aclose()
            listener.close()


class _Server(uvicorn.Server):
    """uvicorn, but for the signals: those belong to the supervisor."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
