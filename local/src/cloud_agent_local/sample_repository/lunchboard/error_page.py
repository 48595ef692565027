"""`python -m lunchboard.error_page <fd>`: show the error read from stdin, until the next change."""

import socket
import sys
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><title>The lunch board does not start</title>
<style>body{{font:16px/1.5 system-ui;margin:8vh auto;max-width:52rem;padding:0 1rem}}
pre{{background:#2b1d1d;color:#ffdcd5;padding:1.2rem;border-radius:12px;overflow:auto}}</style>
<h1>The lunch board does not start</h1><p>It is tried again as soon as a file changes.</p>
<pre>{error}</pre><script>new EventSource("/reload").onmessage = () => location.reload()</script>"""

ERROR = sys.stdin.read()


class Handler(BaseHTTPRequestHandler):
    """Gives the same answer to everything."""

    def do_GET(self) -> None:
        content = PAGE.format(error=escape(ERROR)).encode()
        self.send_response(404 if self.path == "/reload" else 500)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the error itself is in dev.py's output."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = socket.socket(fileno=int(sys.argv[1]))
        server.serve_forever(poll_interval=0.1)
