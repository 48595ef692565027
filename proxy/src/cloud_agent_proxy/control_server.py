"""Serves the control app on control.sock for as long as a block runs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.types import ASGIApp

_SOCKET = "control.sock"


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the control plane must outlive the drain that SIGTERM starts."""
        yield


@contextlib.asynccontextmanager
async def serve(app: ASGIApp) -> AsyncIterator[None]:
    """Answer on control.sock in the working directory; requests that come early wait.

    Raises:
        OSError: the socket could not be opened.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(_SOCKET)
        listener.listen(128)
        server = _Server(uvicorn.Config(app, http="h11", log_config=None, access_log=False, lifespan="off", ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.should_exit = server.force_exit = True
            await serving
