"""GitHub as a small server with the few resources of one repository that the webhook uses."""

from __future__ import annotations

import http.server
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class GitHubStandIn:
    """The few resources of one repository that the webhook uses, on a socket; `faults` breaks requests to come."""

    url: str = ""
    roles: dict[str, str] = field(default_factory=lambda: {"octo-dev": "admin"})
    issue: dict[str, Any] | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)
    eyes: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    # Method and a part of the path -> status (0 hangs up), and whether the request is carried out all the same.
    faults: list[tuple[str, str, int, bool]] = field(default_factory=list)

    def said(self, number: int) -> list[str]:
        """The comments on an issue or pull request, without their hidden first line."""
        return [c["body"].partition("\n\n")[2] for c in self.comments if c["number"] == number]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and document; a status of 0 hangs up."""
        self.requests.append(f"{method} {path.partition('?')[0]}")
        fault = next((f for f in self.faults if f[0] == method and f[1] in path), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault[3]:
                self._resource(method, path, body)
            return fault[2], {"message": "as told"}
        return self._resource(method, path, body)

    def _resource(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = path.partition("?")[0].split("/")
        if path == "/graphql":
            self.eyes.append(body["variables"]["subject"])
            return 200, {"data": {"addReaction": {"clientMutationId": None}}}
        if parts[-1] == "permission":
            role = self.roles.get(parts[-2])
            return (200, {"permission": role}) if role else (404, {"message": "Not Found"})
        if parts[-1] != "comments":
            return (200, self.issue) if self.issue else (404, {"message": "Not Found"})
        if method == "GET":
            return 200, [{"id": i, **c} for i, c in enumerate(self.comments, 1) if c["number"] == int(parts[-2])]
        self.comments.append({"number": int(parts[-2]), "body": body["body"]})
        return 201, {"id": len(self.comments)}


@contextmanager
def serve_github() -> Iterator[tuple[str, list[GitHubStandIn]]]:
    """One server for all tests; the last of the list answers."""
    standing: list[GitHubStandIn] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or the body waits 40 ms for the acknowledgement of the headers

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, request: dict[str, Any]) -> None:
            assert self.headers["Authorization"] == "Bearer ghp_a-personal-token"
            status, document = standing[-1].answer(self.command, self.path, request)
            if not status:
                self.close_connection = True
                return
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}", standing
