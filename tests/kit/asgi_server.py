"""An ASGI application behind a real socket, for a test that runs it in its own process."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_IDLE_CONNECTION_SECONDS = 75  # uvicorn's default is httpx's, 5 s: a request then meets a connection that just closes


@contextmanager
def serve_asgi(build_app: Callable[[int], Any]) -> Iterator[str]:
    """Build an application for a free port of 127.0.0.1, and serve it there until the block is left; gives the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        config = uvicorn.Config(
            build_app(port), log_level="error", timeout_graceful_shutdown=1, timeout_keep_alive=_IDLE_CONNECTION_SECONDS
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
