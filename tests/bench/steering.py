"""How long a comment takes to reach Claude, and how many calls a session makes of GitHub's API.

    python tests/bench/steering.py [--comments 20] [--interrupts 10] [--after-silence 0]

Brings up the whole system with the real agent and the scripted model (about 40 s), runs one session, prints two tables
and ends everything. The times are from GitHub's own acceptance of the comment to the moment at which the agent reports
the turn's start; functions are cold for the first comment and warm for the others. A comment after a silence follows on
six minutes in which nobody asked for anything, of as many sessions at once as there are such comments. An interrupt has
come when the interrupted turn's reply is in the table.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.e2e.system import Session, System, wait_for
from tests.kit.ports import free_ports

from cloud_agent_local import up as lifecycle
from cloud_agent_runner.inbox import CONVERSATION_SECONDS


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comments", type=int, default=20)
    parser.add_argument("--interrupts", type=int, default=10)
    parser.add_argument("--after-silence", type=int, default=0)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sessions = str(wanted.after_silence + 1)
        limits = {"MaxSessions": sessions, "MaxSessionsPerRepository": sessions}
        installation = lifecycle.up(Path(folder), free_ports(), limits)
        try:
            measure(System(installation), wanted)
        finally:
            lifecycle.down(installation)


def measure(system: System, wanted: argparse.Namespace) -> None:
    """One session: the issue's turn, follow-ups one after the other, and the end."""
    calls = {"start": _calls(system, 0)}
    session = system.start("Greet", 'Change the greeting to "Good morning".')
    row = system.wait_for_row(session, lambda row: row.get("activity") == "turn_finished", 240)
    pull = row["pull_number"]
    system.wait_for_comment(pull, "Reply to [the issue]")
    system.wait_for_status(session, "waiting for you")
    calls["label to first answer"] = _calls(system, 0) - calls.pop("start")
    reached, answered = [], []
    for number in range(wanted.comments):
        known = _prompts(system, session.id)
        before = _calls(system, 0)
        began = time.perf_counter()
        system.comment(pull, f'Change the greeting to "Good morning {number}".')
        wait_for(lambda: _prompts(system, session.id, "TAKEN", "ANSWERED") - known, bool, 30, every=0.02)  # noqa: B023 - called at once
        reached.append(time.perf_counter() - began)
        (prompt,) = _prompts(system, session.id) - known
        system.wait_for_comment(pull, f"turn:{prompt}")
        answered.append(time.perf_counter() - began)
        system.wait_for_status(session, "waiting for you")
        calls[f"comment {number + 1}"] = _calls(system, 0) - before
    interrupted = [_interrupt(system, session, pull) for _ in range(wanted.interrupts)]
    late = _comments_after_silence(system, wanted.after_silence)
    before = _calls(system, 0)
    system.comment(pull, "/stop")
    system.wait_for_end(session)
    calls["/stop to the end"] = _calls(system, 0) - before

    print("\n| from a comment to | first (cold) | median | p95 | longest |\n|---|---|---|---|---|")
    for what, times in (("Claude's turn begins", reached), ("the answer is on the pull request", answered)):
        warm = sorted(times[1:])
        p95 = warm[round(0.95 * (len(warm) - 1))]
        print(f"| {what} | {times[0]:.2f} s | {statistics.median(warm):.2f} s | {p95:.2f} s | {warm[-1]:.2f} s |")
    for what, times in (("`/interrupt` ends the turn", interrupted), ("… Claude's turn, after a silence", late)):
        if times:
            print(f"| {what} | | {statistics.median(times):.2f} s | | {max(times):.2f} s of {len(times)} |")
    follow_ups = [sum(count.values()) for name, count in calls.items() if name.startswith("comment ")]
    print("\n| GitHub API calls of the App | |\n|---|---|")
    print(f"| from the label to the first answer | {sum(calls['label to first answer'].values())} |")
    print(f"| for each further comment (median) | {statistics.median(follow_ups):.0f} |")
    print(f"| from /stop to the end | {sum(calls['/stop to the end'].values())} |")
    for name in ("label to first answer", "comment 2", "/stop to the end"):
        print(f"\n{name}:")
        for route, count in sorted(calls[name].items()):
            print(f"  {count:3}  {route}")


def _calls(system: System, since: int) -> Counter[str]:
    """The App's calls by method and route."""
    requests = system.github.call("GET", f"/admin/requests?since={since}")["requests"]
    # Looking for lost deliveries is the reconciler's, whatever sessions there are.
    ours = [one for one in requests if one["actor"]["type"] in {"App", "Installation"} and "/hook/" not in one["path"]]
    return Counter(
        f"{one['method']} {one['route']}{' ' + one['operation'] if one.get('operation') else ''}" for one in ours
    )


def _interrupt(system: System, session: Session, pull: str) -> float:
    """Interrupt a turn that would not end by itself; return the seconds from the comment to its result."""
    known = _prompts(system, session.id, "ANSWERED")
    system.comment(pull, "Take your time.\n\nscripted-model: run sleep 100")
    system.wait_for_row(session, lambda row: "sleep 100" in row.get("activity", ""), 30)
    time.sleep(random.random())  # noqa: S311 - no secret: people don't write in step with the polls, as the turn begins
    began = time.perf_counter()
    system.comment(pull, "/interrupt")
    wait_for(lambda: _prompts(system, session.id, "ANSWERED") - known, bool, 30, every=0.02)
    took = time.perf_counter() - began
    system.wait_for_status(session, "waiting for you")
    return took


def _comments_after_silence(system: System, count: int) -> list[float]:
    """Comment in each of `count` sessions when its agent has slowed down; return the seconds until the turns begin."""
    sessions = [system.start(f"Greet {number}", f'Change the greeting to "Hello {number}".') for number in range(count)]
    pulls = [
        system.wait_for_row(session, lambda row: row.get("activity") == "turn_finished", 240)["pull_number"]
        for session in sessions
    ]
    time.sleep(CONVERSATION_SECONDS + 60 if sessions else 0)
    return [_comment_after_silence(system, *one) for one in zip(sessions, pulls, strict=True)]


def _comment_after_silence(system: System, session: Session, pull: str) -> float:
    known = _prompts(system, session.id)
    time.sleep(random.random())  # noqa: S311 - no secret: people don't write in step with the polls
    began = time.perf_counter()
    system.comment(pull, 'Change the greeting to "Good evening".')
    wait_for(lambda: _prompts(system, session.id, "TAKEN", "ANSWERED") - known, bool, 30, every=0.02)
    took = time.perf_counter() - began
    system.wait_for_status(session, "waiting for you")
    return took


def _prompts(system: System, session_id: str, *states: str) -> set[str]:
    """The ids of the session's prompts, of all or of these states."""
    items = system.client("dynamodb").query(
        TableName=system.installation.outputs["SessionsTable"],
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prompt)",
        ExpressionAttributeValues={":pk": {"S": f"SESSION#{session_id}"}, ":prompt": {"S": "PROMPT#"}},
    )["Items"]
    return {i["sk"]["S"].removeprefix("PROMPT#") for i in items if not states or i["state"]["S"] in states}


if __name__ == "__main__":
    main()
