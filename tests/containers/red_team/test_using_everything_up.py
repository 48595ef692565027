"""What uses up processes or memory ends itself, and neither the supervisor, the session nor what else runs in it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.containers.red_team.attacked import container_of
from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import System

    from embedded_aws.containers.engine import Engine

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

FORK_BOMB = "import os, time\\nwhile True:\\n  try: os.fork()\\n  except OSError: time.sleep(600)"
# Most of the 4 GB at once, the rest slowly enough for whoever looks once a second.
FILL_MEMORY = (
    "import time; kept = [b'x' * 10**8 for _ in range(25)]\\nwhile True: kept.append(b'x' * 10**8); time.sleep(0.4)"
)
# What is named by a file waits for it.
DEV_SERVER = """
import http.server, os, threading, time
def bomb():
    while not os.path.exists("/tmp/bomb-dev-server"):
        time.sleep(0.1)
    os.unlink("/tmp/bomb-dev-server")
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(600)
def flood():
    while not os.path.exists("/tmp/flood-of-output"):
        time.sleep(0.1)
    os.unlink("/tmp/flood-of-output")
    while True:
        os.write(1, b"flood " * 200 + b"\\n")
threading.Thread(target=flood, daemon=True).start()
threading.Thread(target=bomb, daemon=True).start()
address = os.environ["HOST"], int(os.environ["PORT"])
http.server.ThreadingHTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""
HOOK = "[ ! -e /tmp/bomb-hook ] || { rm /tmp/bomb-hook; bash -c 'bomb() { bomb | bomb & }; bomb; sleep 600'; }"
HOOKS = {"PreToolUse": [{"matcher": "*", "hooks": [{"type": "command", "command": HOOK}]}]}
FILES = {
    ".github/claude-cloud-agent.yml": "dev: python3 dev.py\n",
    "dev.py": DEV_SERVER,
    ".claude/settings.json": json.dumps({"hooks": HOOKS}),
}


def test_a_session_outlives_fork_bombs_and_a_turn_that_fills_the_memory(system: System) -> None:
    there = system.at(system.create_repository("bombs", FILES))
    session = there.start("Use it all up", "scripted-model: run echo at peace")
    row = there.wait_for_row(session, lambda row: "live" in row.get("preview", "") and "turns" in row, 180)
    pull_number = row["pull_number"]

    def ask(prompt: str, words: str) -> str:
        there.comment(pull_number, prompt)
        return there.wait_for_comment(pull_number, words, 120)

    answer = ask("scripted-model: run touch /tmp/bomb-dev-server; sleep 8; echo alive $((40 + 1))", "alive 41")
    assert "The dev server was stopped: it ran 1," in answer
    ask("scripted-model: run touch /tmp/bomb-hook\nscripted-model: run true", "Stopped: it ran 1,")
    there.comment(pull_number, _run_python(FORK_BOMB))
    wait_for(
        lambda: [each for each in there.comments(int(pull_number)) if "Stopped: it ran 1," in each["body"]],
        lambda found: len(found) == 2,
    )

    answer = ask(_run_python(FILL_MEMORY), "ran out of memory")
    assert "Stopped: the container ran out of memory (" in answer
    assert "`AgentMemory`" in answer

    ask("scripted-model: run echo still $((40 + 2)) here", "still 42 here")
    assert there.row(session.id)["status"] == "RUNNING"
    there.wait_for_row(session, lambda row: "live" in row.get("preview", ""), 60)


def test_a_session_outlives_a_flood_of_output_a_huge_file_and_a_full_disk(system: System, engine: Engine) -> None:
    there = system.at(system.create_repository("floods", FILES))
    session = there.start("Use it all up", "scripted-model: run echo at peace")
    row = there.wait_for_row(session, lambda row: "live" in row.get("preview", "") and "turns" in row, 180)
    pull_number = row["pull_number"]

    def ask(prompt: str, words: str) -> str:
        there.comment(pull_number, f"scripted-model: run {prompt}")
        return there.wait_for_comment(pull_number, words, 180)

    answer = ask("truncate --size 5G /tmp/huge; echo size $((40 + 1))", "size 41")
    assert "File size limit exceeded" in answer

    ask("touch /tmp/flood-of-output; sleep 20; echo flooded $((40 + 2))", "flooded 42")
    ask("true", "The dev server was stopped: it wrote more than 100 MB within a minute.")

    # A disk that can be filled without filling the machine's.
    pid = engine.run("inspect", "--format", "{{.State.Pid}}", container_of(engine, session)).strip()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600m,mode=1777", "tmpfs", "/tmp"]  # noqa: S108 - the container's
    subprocess.run(["nsenter", "--target", pid, "--mount", "--", *mount], check=True)
    answer = ask("head -c 300000000 /dev/zero > /tmp/full; sleep 60", "running out of disk space")
    assert "Stopped: the container is running out of disk space (" in answer
    assert "Comment to have Claude delete files that aren't needed" in answer

    ask("rm /tmp/full; echo still $((40 + 3)) here", "still 43 here")
    assert there.row(session.id)["status"] == "RUNNING"
    there.wait_for_row(session, lambda row: "live" in row.get("preview", ""), 60)


def _run_python(program: str) -> str:
    """Return a prompt that has a program of Python's run, its lines separated by a backslash and an n."""
    return f"""scripted-model: run python3 -c "exec(\\"{program}\\")\""""
