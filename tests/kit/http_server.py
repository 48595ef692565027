"""An HTTP server for a test: a function responds, every request is recorded, and leaving the block ends all of it."""

from __future__ import annotations

import enum
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from email.message import Message


@dataclass(frozen=True)
class Request:
    """One request. `path` has its query; `headers` ignores the case of names."""

    method: str
    path: str
    headers: Message
    body: bytes = b""

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body, read as JSON; an empty object where there is none."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Response:
    """One response, with its Content-Length unless `headers` has another.

    A `body` in parts is sent part by part, and ends where the connection does.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()

    @classmethod
    def of(cls, document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:  # noqa: ANN401 - any JSON
        """A document as JSON."""
        return cls(status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})})


class NoResponse(enum.Enum):
    """What becomes of a request in place of a response."""

    CLOSE = "the connection is closed"
    HANG = "nothing happens, until the server stops or the client gives up"


Respond = Callable[[Request], Response | NoResponse]


@dataclass
class HttpServer:
    """A running server. `respond` may be replaced while it runs."""

    respond: Respond | Response | NoResponse
    port: int
    requests: list[Request] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def exchange(self, request: Request) -> Response | NoResponse:
        """Record the request and respond to it."""
        self.requests.append(request)
        return self.respond(request) if callable(self.respond) else self.respond


@contextmanager
def serve_http(respond: Respond | Response | NoResponse, tls: ssl.SSLContext | None = None) -> Iterator[HttpServer]:
    """Serve HTTP/1.1 on a free port of 127.0.0.1 until the block is left.

    Each connection has a thread of its own. Leaving the block closes the connections and waits for the threads.
    """
    with _Listener(("127.0.0.1", 0), _Handler) as listener:
        if tls:
            listener.socket = tls.wrap_socket(listener.socket, server_side=True)
        server = listener.http_server = HttpServer(respond, listener.server_port)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            listener.shutdown()
            thread.join()
            listener.close_connections()


class _Listener(ThreadingHTTPServer):
    http_server: HttpServer
    request_queue_size = 128
    daemon_threads = False

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 - as http.server has them
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as http.server has them
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as above
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body waits 40 ms for the acknowledgement of the headers

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        response = self.server.http_server.exchange(Request(self.command, self.path, self.headers, body))
        if isinstance(response, Response):
            with suppress(ConnectionError):  # the client may have given up
                self._send(response)
            return
        if response is NoResponse.HANG:
            self.server.http_server.stopping.wait()
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def _send(self, response: Response) -> None:
        headers, body = response.headers, response.body
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if not isinstance(body, bytes):
            pairs.append(("Connection", "close"))
        elif "content-length" not in {name.lower() for name, _ in pairs}:
            pairs.append(("Content-Length", str(len(body))))
        self.send_response(response.status)
        for name, value in pairs:
            self.send_header(name, value)  # which closes the connection after `Connection: close`
        self.end_headers()
        for part in [body] if isinstance(body, bytes) else body:
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Log nothing."""
