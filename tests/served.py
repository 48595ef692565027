"""A server of http.server that answers in a thread while a test runs."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

S = TypeVar("S", bound=http.server.ThreadingHTTPServer)


@contextmanager
def served(server: S) -> Iterator[S]:
    """The server, answering until the block is left."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
