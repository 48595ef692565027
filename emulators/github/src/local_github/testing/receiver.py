"""An endpoint of webhooks that a test can wait at."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass
from typing import Any, Self

_DEADLINE_SECONDS = 15


@dataclass
class Delivery:
    """One webhook as it arrived; its headers' names are in lower case."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        """The event's name, such as `issues`."""
        return self.headers["x-github-event"]

    @property
    def payload(self) -> dict[str, Any]:
        """The body, read as JSON."""
        return dict(json.loads(self.body))


class Receiver:
    """Receives webhooks at `url` while the block is open, keeps them all and answers with `status`."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.status = 200
        self._arrived = threading.Condition()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the endpoint."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for(self, event: str, action: str | None = None, times: int = 1, **where: Any) -> Delivery:  # noqa: ANN401 - JSON
        """Return the delivery of that event and action, once it has come that many times.

        Raises:
            AssertionError: It has not within 15 s; the message lists what came instead.
        """

        def matches(delivery: Delivery) -> bool:
            payload = delivery.payload
            wanted = {"action": action, **where} if action else where
            return delivery.event == event and all(payload.get(name) == value for name, value in wanted.items())

        def found() -> list[Delivery]:
            return [delivery for delivery in self.deliveries if matches(delivery)]

        with self._arrived:
            if not self._arrived.wait_for(lambda: len(found()) >= times, _DEADLINE_SECONDS):
                seen = [(delivery.event, delivery.payload.get("action")) for delivery in self.deliveries]
                raise AssertionError(f"no {event} {action}; there were {seen}")
            return found()[times - 1]

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver._arrived:
                    receiver.deliveries.append(Delivery(headers, body))
                    receiver._arrived.notify_all()
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Log nothing."""

        return Handler
