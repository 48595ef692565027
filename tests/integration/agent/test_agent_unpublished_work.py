"""A session whose commits GitHub refuses, its end in the middle of a turn, and the next session of the branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub

COMMIT = "echo x > refused.txt; git add --all; git commit -qm refused"


def test_the_next_session_pushes_what_was_refused_and_what_the_end_cut_short(
    start_agent: Callable[..., Agent], control_plane: ControlPlane, github: GitHub, tmp_path: Path
) -> None:
    rule = github.bare / "hooks/pre-receive"
    rule.write_text("#!/bin/sh\necho 'error: no commits on Fridays' >&2\nexit 1\n")
    rule.chmod(0o755)
    before = github.head()
    agent = start_agent()
    control_plane.ask("Write", f"scripted-model: run {COMMIT}\nscripted-model: once refused run true")
    agent.until(lambda: control_plane.events("turn_finished"))
    control_plane.ask("And wait", "scripted-model: run echo x > unfinished.txt; sleep 97", kind="comment")
    agent.until(lambda: agent.family("97"))
    control_plane.over = True
    assert agent.exit_status() == 0

    assert github.head() == before
    kept = [(report["commits"], report["state"]) for report in control_plane.told("report-unpublished")]
    assert kept == [(1, "kept"), (2, "kept")]

    rule.unlink()
    control_plane.over, control_plane.prompts = False, []
    (tmp_path / "next").mkdir()
    start_agent(HOME=str(tmp_path / "next")).until(lambda: github.head() != before)

    assert {"refused.txt", "unfinished.txt"} <= set(github.files(".").split())
    assert github.subjects()[:2] == ["chore: commit changes that the last turn left uncommitted", "refused"]
    agent.until(lambda: control_plane.told("report-unpublished")[2:])
    assert control_plane.told("report-unpublished")[2:] == [{"commits": 0, "state": "published", "taken_up": 2}]
    assert control_plane.breaches == []
