"""`make demo`, whole, as a newcomer meets it. In a folder of its own: it brings up its own system beside the others."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from tests.e2e.agent.test_command_line import options, processes_of, run
from tests.kit.ports import free_ports

from cloud_agent_local.installation import Installation

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(400)
def test_the_demo_shows_the_main_job_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ports = free_ports()

    demo = run("demo", *options(tmp_path, ports), seconds=380)

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "HTTP Request:" not in demo.stdout + demo.stderr  # no library logs into what a person reads
    states = [
        "Claim Session",
        "Create Branch",
        "Open Draft Pull Request",
        "Take Slot",
        "Run Agent",
        "Register IP",
        "Announce Session",
    ]
    positions = [demo.stdout.index(f"s  {state}\n") for state in states]
    assert sorted(positions) == positions
    story = [
        "without the link, the session's URL says",
        "🟢 Running: ",
        f".uat.localhost:{ports.proxy} — ",
        f".uat.localhost:{ports.proxy}/.uat/enter?token=",
        "the page before Claude's commit: \"What's for lunch?\"",
        "the page now:                    'Hello from Claude, lunch is served'",
        "Reply to the issue",
        "octo-dev: Lovely!",
        "the page now: 'Dinner is served, too'",
        "Reply to octo-dev's comment",
        "Ready for review",
        "Stopped; nothing is running.",
    ]
    places = [demo.stdout.find(words) for words in story]
    assert -1 not in places, demo.stdout
    assert sorted(places) == places
    assert processes_of(tmp_path) == []
    assert Installation.load(tmp_path) is None
    for port in ports.model_dump().values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
