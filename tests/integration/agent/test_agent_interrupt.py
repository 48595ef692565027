"""Interrupting the turn that runs: at once, with nothing lost and nothing left running."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_an_interrupted_command_leaves_no_process_and_its_commits_are_published(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    commit = "echo kept > kept.txt && git add kept.txt && git commit -qm kept"
    stubborn = "python3 -c 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(100)'"
    cut_loose = f"(setsid {stubborn} 96 > /dev/null 2>&1 &)"
    control_plane.ask("Wait", f"scripted-model: run {commit}; {cut_loose}; sleep 97 & env -i sleep 98")
    agent = start_agent()
    agent.until(lambda: all(agent.family(word) for word in ("96", "97", "98")))
    doomed = [process for word in ("96", "97", "98") for process in agent.family(word)]
    control_plane.interrupt = "01K"
    turn = agent.until(lambda: control_plane.events("turn_finished"))[0]

    assert (True, False, github.head()) == (turn["interrupted"], turn["is_error"], turn["head_sha"])
    assert turn["result"].startswith("Interrupted by a comment.")
    assert "Running the commands." in turn["result"]
    assert github.show("kept.txt") == "kept"
    assert [process for process in doomed if _alive(process)] == []
    assert agent.family("dev.py")


def test_a_rebase_that_an_interrupt_cuts_short_is_undone_and_said(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    side = "git checkout -qb side && echo side > note.txt && git add . && git commit -qm side && git checkout -q -"
    ours = "echo ours > note.txt && git add . && git commit -qm ours"
    more = "echo > more.txt && git add . && git commit -qm more"
    control_plane.ask("Rebase", f"scripted-model: run {side} && {ours} && {more}; git rebase side; sleep 97")
    agent = start_agent()
    agent.until(lambda: agent.family("97"))
    control_plane.interrupt = "01K"
    turn = agent.until(lambda: control_plane.events("turn_finished"))[0]

    assert (True, github.head(), 0) == (turn["interrupted"], turn["head_sha"], turn["unpublished"])
    assert "(When the turn ended, a rebase was in progress. It was undone" in turn["result"]
    assert (github.show("note.txt"), github.subjects()[:2]) == ("ours", ["more", "ours"])


def test_an_interrupted_conversation_goes_on_and_the_same_request_interrupts_once(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.interrupt = "01A"  # an old request: nothing is running yet
    control_plane.ask("Think", "scripted-model: think 60")
    control_plane.ask("", "Change the greeting to: After", kind="comment")
    agent = start_agent()
    agent.until(lambda: control_plane.events("turn_started"))
    agent.until(lambda: any((agent.home / ".claude" / "projects").glob("*/*.jsonl")))
    control_plane.interrupt = "01B"
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2)
    thought, after = control_plane.events("turn_finished")

    assert (thought["interrupted"], thought["is_error"], thought["head_sha"]) == (True, False, None)
    assert (False, False, github.head()) == (after["interrupted"], after["is_error"], after["head_sha"])
    assert "<h1>After</h1>" in github.show("templates/home.html")
    assert len(list((agent.home / ".claude" / "projects").glob("*/*.jsonl"))) == 1


def test_an_interrupt_at_the_very_start_of_a_turn_ends_it_too(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    agent = start_agent()
    agent.until(lambda: control_plane.told("ready"))
    control_plane.ask("Think", "scripted-model: think 60")
    agent.until(lambda: control_plane.events("turn_started"))
    control_plane.interrupt = "01A"
    turn = agent.until(lambda: control_plane.events("turn_finished"), 45)[0]

    assert (turn["interrupted"], turn["is_error"]) == (True, False)


def test_a_claude_code_that_does_not_obey_is_ended(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    control_plane.ask("Wait", "scripted-model: run sleep 99")
    control_plane.ask("Go on", "scripted-model: run echo on", kind="comment")
    agent = start_agent()
    doomed = agent.until(lambda: agent.family("99"))
    next(process for process in agent.family() if process.name() == "claude").suspend()
    control_plane.interrupt = "01K"
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2, 40)
    stuck, after = control_plane.events("turn_finished")

    assert (stuck["interrupted"], stuck["is_error"]) == (True, False)
    assert (after["interrupted"], after["is_error"]) == (False, False)
    assert [process for process in doomed if _alive(process)] == []
