"""How soon what happens in a session can be seen on its page.

    python tests/bench/transcript.py [--comments 10]

Brings up the whole system with the real agent and the scripted model (about 40 s), runs one session, and follows its
page's stream as a browser does. An event's time is its own `at`, at which the agent took it down; it's seen when the
page has its entry. What is beside the conversation, such as the to-do list, isn't counted. One turn after the other:
the first with functions that are cold, the others warm.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.e2e.system import Session, System, wait_for
from tests.kit.ports import free_ports

from cloud_agent_cli.targets import Target
from cloud_agent_cli.transcript import Form, lines
from cloud_agent_local import up as lifecycle
from cloud_agent_local.deployment import STACK

GOAL_SECONDS = 2


class OpenPage(threading.Thread):
    """Follows the stream of a session's page, and keeps when each entry was seen first, by its id."""

    def __init__(self, system: System, session: Session) -> None:
        super().__init__(daemon=True)
        at = system.installation
        host = f"{session.id}.{at.uat_domain}:{at.ports.proxy}"
        self._client = httpx.Client(base_url=at.proxy_url, headers={"Host": host}, trust_env=False, timeout=60)
        self.seen: dict[str, float] = {}

    def run(self) -> None:
        """Follow it until it ends with the session."""
        kind = ""
        with self._client.stream("GET", "/.uat/events?after=0") as response:
            response.raise_for_status()
            for line in response.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind == "entry":
                    self.seen.setdefault(json.loads(value)["id"], time.time())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comments", type=int, default=10)
    comments = parser.parse_args().comments
    with tempfile.TemporaryDirectory() as folder:
        installation = lifecycle.up(Path(folder), free_ports(), {"UatAccess": "public"})
        try:
            delays = measure(System(installation), comments)
        finally:
            lifecycle.down(installation)
    print(
        f"\n| events | seen after, median | 95 of 100 within | longest | over {GOAL_SECONDS} s |\n|---|---|---|---|---|"
    )
    for what, times in delays.items():
        inside = statistics.quantiles(times, n=20, method="inclusive")[-1]
        late = sum(one > GOAL_SECONDS for one in times)
        print(
            f"| {len(times)} {what} | {statistics.median(times):.2f} s | {inside:.2f} s | {max(times):.2f} s | {late} |"
        )


def measure(system: System, comments: int) -> dict[str, list[float]]:
    """One session, with so many comments one after the other; return how long each entry took to be seen."""
    session = system.start("Greet", 'Change the greeting to "Good morning".')
    system.wait_for_row(session, lambda row: row.get("status") == "RUNNING", 240)
    page = OpenPage(system, session)
    page.start()
    row = system.wait_for_row(session, lambda row: row.get("activity") == "turn_finished", 240)
    for number in range(comments):
        system.wait_for_status(session, "waiting for you")
        known = len(page.seen)
        system.comment(row["pull_number"], f'Change the greeting to "Good morning {number}".')
        wait_for(lambda: len(page.seen) > known, bool, 30)  # noqa: B023 - called at once
        system.wait_for_row(session, lambda row: row.get("activity") == "turn_finished", 60)
    system.wait_for_status(session, "waiting for you")
    system.comment(row["pull_number"], "/stop")
    system.wait_for_end(session)
    page.join(30)
    target = Target(STACK, "here", system.client)
    opened_at = min(page.seen.values())
    delays: dict[str, list[float]] = {"of the agent": [], "of the functions: statuses and commands": []}
    for line in lines(target, session.id, Form.JSONL):
        event = json.loads(line)
        is_workflows = event["kind"] in {"status", "command"}
        seen_at = page.seen.get(f"{'s' if is_workflows else 'e'}{event['seq']}")
        if seen_at is not None and seen_at > opened_at + 1:  # what was there before isn't new
            whose = list(delays)[is_workflows]
            delays[whose].append(seen_at - datetime.fromisoformat(event["at"]).timestamp())
    return delays


if __name__ == "__main__":
    main()
