"""Bare repositories over smart HTTP, by git's own http-backend, with faults to order."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.kit.http_server import HttpServer, NoResponse, Request, Response, serve_http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CUT = Response(599)  # the response that would have been, up to its middle


@dataclass
class GitHttp:
    """Serves the repositories below `root`. The next requests meet `faults`, in order; None lets one pass."""

    root: Path
    faults: deque[Response | NoResponse | None] = field(default_factory=deque)

    def respond(self, request: Request) -> Response | NoResponse:
        """Respond as git does, unless the request meets a fault."""
        fault = self.faults.popleft() if self.faults else None
        if fault is CUT:
            good = self._backend(request)
            body = bytes(good.body) if isinstance(good.body, bytes) else b""
            half = [body[: len(body) // 2]]  # in parts: the connection ends with the last
            return Response(good.status, half, {**dict(good.headers), "Content-Length": str(len(body))})
        return fault or self._backend(request)

    def _backend(self, request: Request) -> Response:
        path, _, query = request.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "HTTP_GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_USER": "app",
        }
        settings = ("-c", "http.receivepack=true", "-c", "uploadpack.allowReachableSHA1InWant=true")
        done = subprocess.run(
            ["git", *settings, "http-backend"], env=environment, input=request.body, stdout=subprocess.PIPE, check=True
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        return Response(int(headers.pop("Status", "200").split()[0]), body, headers)


@contextmanager
def serve_git(root: Path) -> Iterator[tuple[GitHttp, HttpServer]]:
    """Serve the repositories below `root` until the block is left."""
    git_http = GitHttp(root)
    with serve_http(git_http.respond) as server:
        yield git_http, server
