"""A quick agent in the place of the real one, for what is about the session and not about Claude's work.

It speaks the whole Agent API and serves a page, but clones nothing: it is ready at once and answers each prompt with
the prompt's own first line. A prompt may say how: `agent: fail`, `agent: crash`, `agent: wait` (until interrupted),
`agent: silent` (lives on and says nothing more), `agent: pushed <sha>` (says that it pushed this commit). On a branch
with `slow` in its name it is never ready, with `mute` not even seen.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import re
import threading
import time
import urllib.request
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError

# Each call costs gateway, function and table more than it costs the agent, and the tests have a hundred agents.
POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 4.0
PAUSE_SECONDS = 0.5
# Of the standard library alone: an agent starts in a tenth of the time that it would need with an HTTP client.
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))

KNOWN: dict[str, tuple[str, dict[str, Any]]] = {}  # what was answered last, and its ETag, by path


class SessionOverError(Exception):
    """The Agent API says that the session has ended."""


def call(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One call of the Agent API, repeated while it is not to be had."""
    etag, known = KNOWN.get(path, ("", {}))
    headers = {"Authorization": f"Bearer {os.environ['SESSION_TOKEN']}", "Content-Type": "application/json"}
    request = urllib.request.Request(  # noqa: S310 - the API's own address
        os.environ["AGENT_API_URL"] + path,
        data=None if body is None else json.dumps(body).encode(),
        headers=headers | ({"If-None-Match": etag} if etag else {}),
        method=method,
    )
    while True:
        try:
            with HTTP.open(request, timeout=15) as answer:
                document: dict[str, Any] = json.load(answer)
                KNOWN[path] = (answer.headers.get("ETag", ""), document)
                return document
        except HTTPError as error:
            if error.code == HTTPStatus.NOT_MODIFIED:
                return known
            if error.code == HTTPStatus.CONFLICT:
                raise SessionOverError from error
            if error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
        except (OSError, http.client.HTTPException):
            pass  # as with a server error
        time.sleep(PAUSE_SECONDS)


class Page(http.server.BaseHTTPRequestHandler):
    """The dev server."""

    def do_GET(self) -> None:
        """A page, or an error where one is asked for."""
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class Agent:
    """One session."""

    says = "Done"

    def __init__(self) -> None:
        self.turns = 0
        self.seen: set[str] = set()
        self.interrupt: str | None = None
        self.silent = False

    def run(self) -> None:
        """Until the session is over."""
        with HTTP.open(os.environ["ECS_CONTAINER_METADATA_URI_V4"], timeout=15) as answer:
            metadata = json.load(answer)
        address = metadata["Networks"][0]["IPv4Addresses"][0]
        server = http.server.ThreadingHTTPServer((address, 3000), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        call("POST", "/agent/heartbeat", {"task_token": os.environ["TASK_TOKEN"]})
        threading.Thread(target=self.heartbeat, daemon=True).start()
        self.silent = "mute" in os.environ["BRANCH"]
        if self.silent or "slow" in os.environ["BRANCH"]:
            threading.Event().wait()
        limits = {"idle_minutes": None, "max_turns": None, "budget_usd": None, "ready_for_review": True}
        call("POST", "/agent/ready", {"task_token": os.environ["TASK_TOKEN"], "port": 3000, "limits": limits})
        while True:
            for prompt in self.poll():
                self.work(prompt)
            time.sleep(POLL_SECONDS)

    def heartbeat(self) -> None:
        """Say that it lives, as long as it means to."""
        try:
            while True:
                time.sleep(HEARTBEAT_SECONDS)
                if not self.silent:
                    call("POST", "/agent/heartbeat", {"task_token": os.environ["TASK_TOKEN"]})
        except SessionOverError:
            os._exit(0)

    def poll(self) -> list[dict[str, Any]]:
        """The lowest prompt not seen yet, alone: the one after it may not be there yet."""
        answer = call("GET", "/agent/prompts")
        self.interrupt = answer["interrupt"]
        return [prompt for prompt in answer["prompts"] if prompt["id"] not in self.seen][:1]

    def work(self, prompt: dict[str, Any]) -> None:
        """Answer one prompt."""
        self.seen.add(prompt["id"])
        call("POST", "/agent/progress", {"event": "turn_started", "prompt_id": prompt["id"]})
        interrupted = "agent: wait" in prompt["body"] and self.wait_for_interrupt()
        if "agent: crash" in prompt["body"]:
            os._exit(3)
        if "agent: silent" in prompt["body"]:
            self.silent = True
            threading.Event().wait()
        self.turns += 1
        pushed = re.search("agent: pushed ([0-9a-f]{40})", prompt["body"])
        first_line = (prompt["body"].strip().splitlines() or [prompt["title"]])[0]
        of_threads = [f"\n\nThread {number + 1}:\n{self.says}, too" for number in range(prompt["threads"])]
        call(
            "POST",
            "/agent/progress",
            {
                "event": "turn_finished",
                "prompt_id": prompt["id"],
                "is_error": "agent: fail" in prompt["body"],
                "interrupted": interrupted,
                "result": f"{self.says}: {first_line[:200]}" + "".join(of_threads),
                "turns": self.turns,
                "cost_usd": round(self.turns * 0.01, 2),
                "head_sha": pushed[1] if pushed else None,
            },
        )

    def wait_for_interrupt(self) -> bool:
        """Until somebody interrupts."""
        before = self.interrupt
        while self.interrupt == before:
            self.poll()
            time.sleep(POLL_SECONDS)
        return True


def main() -> None:
    """Work until the session is over."""
    try:
        Agent().run()
    except SessionOverError:
        os._exit(0)


if __name__ == "__main__":
    main()
