"""Run the local GitHub: `python -m local_github --port 4580 --data-dir DIR`."""

from __future__ import annotations

import argparse
import gc
import re
import signal
import sys
from pathlib import Path

import uvicorn

from local_github.app import build_app
from local_github.site import APP_NAME, Site, is_login

_SECONDS_TO_END_REQUESTS = 3
# A client that sends its next request on a connection just as the server closes it gets no response. httpx leaves a
# connection unused after 5 s, urllib3 never; uvicorn's own default is 5 s, too. So the server waits far longer.
_IDLE_CONNECTION_SECONDS = 75


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM or Ctrl-C."""
    gc.freeze()  # what is imported stays: no pass has to walk it, nor the one at the exit
    parser = argparse.ArgumentParser(prog="python -m local_github", description=__doc__)
    parser.add_argument("--port", type=int, default=4580)
    parser.add_argument("--data-dir", type=Path, required=True, help="everything is kept here; made when missing")
    parser.add_argument("--owner", default="acme", help="the organization, when the data directory is new")
    parser.add_argument("--app-name", default=APP_NAME, help="the App's name, when the data directory is new")
    parser.add_argument(
        "--callback-url", action="append", default=[], help="where the App's users are sent back to; may be repeated"
    )
    arguments = parser.parse_args()
    # Uvicorn ends its requests, then raises the signal again; ended as asked is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if not is_login(arguments.owner):
        parser.error(f"--owner: {arguments.owner!r} is no login; use letters, digits and single hyphens")
    if not re.search(r"[A-Za-z0-9]", arguments.app_name):
        parser.error(f"--app-name: {arguments.app_name!r} has no letter or digit to make its URL of")
    base_url, callback_urls = f"http://localhost:{arguments.port}", tuple(arguments.callback_url)
    site = Site(arguments.data_dir, base_url, arguments.owner, callback_urls, arguments.app_name)
    uvicorn.run(
        build_app(site),
        host="127.0.0.1",
        port=arguments.port,
        log_level="warning",
        timeout_keep_alive=_IDLE_CONNECTION_SECONDS,
        timeout_graceful_shutdown=_SECONDS_TO_END_REQUESTS,
    )


if __name__ == "__main__":
    main()
