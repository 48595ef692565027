"""A container in the proxy's place that, like the predecessor's proxy, runs whatever its environment says.

Today's proxy refuses to start without SESSIONS_TABLE, and the service then goes back to the revision before. So the
fault that the predecessor lived with for weeks could not be set up with it.
"""

from __future__ import annotations

import http.server
import os

import httpx


class Health(http.server.BaseHTTPRequestHandler):
    """Every path is well."""

    def do_GET(self) -> None:
        """Answer as the proxy answers its health check."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    metadata = httpx.get(os.environ["ECS_CONTAINER_METADATA_URI_V4"], trust_env=False).json()
    address = metadata["Networks"][0]["IPv4Addresses"][0]
    http.server.ThreadingHTTPServer((address, 8080), Health).serve_forever()
