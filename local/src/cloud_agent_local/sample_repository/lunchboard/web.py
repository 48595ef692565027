"""HTTP: pages, static files, the votes API, and the stream that reloads the browser."""

import json
import socket
import time
import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .pages import ROOT, menu, render
from .votes import UnknownDishError, Votes

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
STATIC = ROOT / "static"
KEEP_ALIVE_SECONDS = 15
LARGEST_BODY_BYTES = 10_000
# A browser that reconnects after a restart meets another value, and reloads the page.
START = uuid.uuid4().hex


def make_votes() -> Votes:
    return Votes(ROOT / "votes.json", {dish["id"] for dish in menu()})


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    votes: Votes

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/health":
            self.answer("ok\n", "text/plain")
        elif path == "/api/votes":
            self.answer_json(self.votes.counts())
        elif path == "/reload":
            self.stream_reloads()
        elif path.startswith("/static/"):
            self.answer_file(path.removeprefix("/static/"))
        else:
            self.answer_page("home" if path == "/" else path.strip("/"))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if urlsplit(self.path).path != "/api/votes" or length > LARGEST_BODY_BYTES:
            self.close_connection = True
            return self.answer_json(
                {"message": "There is nothing to post here."}, HTTPStatus.NOT_FOUND
            )
        try:
            counts = self.votes.add(str(json.loads(self.rfile.read(length))["dish"]))
        except (UnknownDishError, ValueError, KeyError, TypeError):
            wrong = {"message": 'Send {"dish": "..."} with a dish of the menu.'}
            return self.answer_json(wrong, HTTPStatus.BAD_REQUEST)
        self.answer_json(counts)

    def answer_page(self, name: str) -> None:
        page = render(name, self.votes.counts())
        if page is None:
            self.answer("<h1>No such page</h1>", status=HTTPStatus.NOT_FOUND)
        else:
            self.answer(page)

    def answer_file(self, name: str) -> None:
        path = (STATIC / name).resolve()
        if not path.is_relative_to(STATIC) or not path.is_file():
            return self.answer("No such file\n", "text/plain", HTTPStatus.NOT_FOUND)
        self.answer(path.read_bytes(), TYPES.get(path.suffix, "application/octet-stream"))

    def answer_json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.answer(json.dumps(value), "application/json", status)

    def answer(
        self, body: str | bytes, kind: str = "text/html", status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET

    def stream_reloads(self) -> None:
        """Tell the browser which copy of the application this is, and keep the line open."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(f"retry: 300\ndata: {START}\n\n".encode())
        while True:
            self.wfile.flush()
            time.sleep(KEEP_ALIVE_SECONDS)
            self.wfile.write(b": still here\n\n")

    def log_message(self, format: str, *args: object) -> None:
        print(f"{self.command} {self.path} {args[1] if len(args) > 1 else ''}", flush=True)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the browser went away
            self.close_connection = True


def serve(listener: socket.socket) -> None:
    """Answer requests on a socket that already listens."""
    Handler.votes = make_votes()
    with ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = listener
        server.daemon_threads = True
        server.serve_forever(poll_interval=0.1)
