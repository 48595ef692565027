"""Claude and the preview beside each other: neither waits for the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tests.integration.agent.conftest import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub

CONFIG = ".github/claude-cloud-agent.yml"


def test_claude_reads_while_the_install_runs_and_the_preview_goes_live_by_itself(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    github.commit(
        {CONFIG: "install: until [ -e ../continue ]; do sleep 0.1; done; touch made.txt\ndev: python3 dev.py\n"}
    )
    control_plane.ask("Finish it", "scripted-model: run ls made.txt && touch done.txt")
    agent = start_agent()
    agent.until(lambda: control_plane.events("tool_used"))
    (agent.home / "continue").touch()
    agent.until(lambda: control_plane.events("turn_finished"))

    agent.until(lambda: control_plane.told("preview")[-1]["state"] == "live")
    assert urlopen(f"http://{control_plane.address}:3000/", timeout=5).status == 200
    assert {"done.txt", "made.txt"} & set(github.files("./").split()) == {"done.txt"}


def test_claude_sees_why_the_preview_failed_and_can_fix_it(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    github.commit({CONFIG: "install: test -e fixed.txt || { echo no such package; exit 4; }\ndev: python3 dev.py\n"})
    agent = start_agent()
    failed = agent.until(lambda: [one for one in control_plane.told("preview") if one["state"] == "failed"])[0]
    assert (failed["log"], "ended with status 4" in failed["detail"]) == ("no such package", True)

    control_plane.ask("Fix the preview", "scripted-model: run cat ../preview/log > seen.txt; touch fixed.txt")
    agent.until(lambda: control_plane.events("turn_finished"))

    assert github.show("seen.txt").strip() == "no such package"
    transcript = next((agent.home / ".claude" / "projects").glob("*/*.jsonl")).read_text()
    assert "The preview at this moment: failed." in transcript
    agent.until(lambda: control_plane.told("preview")[-1]["state"] == "live")
    assert control_plane.told("done") == []


def test_a_repository_without_a_dev_server_is_a_session_like_any_other(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    github.commit({CONFIG: "idle_minutes: 20\n", "dev.py": None})
    control_plane.ask("Write it down", "scripted-model: run echo written > notes.txt")
    agent = start_agent()
    turn = agent.until(lambda: control_plane.events("turn_finished"))[0]

    assert (turn["is_error"], github.show("notes.txt")) == (False, "written")
    agent.until(lambda: control_plane.told("preview")[-1]["state"] == "none")


def test_between_turns_the_page_follows_what_a_person_pushes(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("Look", "scripted-model: run git status")
    agent = start_agent()
    agent.until(lambda: control_plane.events("turn_finished"))
    page = f"http://{control_plane.address}:3000/"
    agent.until(lambda: control_plane.told("preview")[-1]["state"] == "live")

    old = github.show("templates/home.html")
    control_plane.branch_sha = github.commit({"templates/home.html": old.replace("<h1>", "<h1>Pat's ")})
    agent.until(lambda: "<h1>Pat's " in shown(page))
    asked = len(control_plane.told("git-read-token"))

    control_plane.ask("Look again", "scripted-model: run git log -1 --format=%an", kind="comment")
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2)
    transcript = next((agent.home / ".claude" / "projects").glob("*/*.jsonl")).read_text()
    assert "Since your last turn, others pushed 1 commit to claude/42." in transcript
    assert control_plane.events("turn_finished")[1]["head_sha"] is None

    control_plane.branch_sha = github.head()  # as GitHub says of each push, the session's own ones too
    time.sleep(2)
    assert len(control_plane.told("git-read-token")) == asked + 1  # the second turn's

    control_plane.branch_sha = github.remove()
    agent.until(lambda: "<h1>Pat's " not in shown(page))
