"""A token for git is revoked when what it was for is done, and at the session's end at the latest."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub


def test_every_token_is_revoked_after_its_use(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    agent = start_agent()
    agent.until(lambda: control_plane.told("ready"))
    agent.until(lambda: len(github.revoked) == 1)  # the clone's, with no push to wait for
    control_plane.ask("Change the greeting to: First")
    control_plane.ask("Look only", "scripted-model: run git status")
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2, seconds=60)
    agent.until(lambda: sorted(github.revoked) == github.handed_out)

    assert len(github.handed_out) == 4  # to clone, to bring each turn up to date, and to push the first
    assert [turn["is_error"] for turn in control_plane.events("turn_finished")] == [False, False]


def test_a_personal_token_is_never_revoked(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    github.has_personal_token = True
    control_plane.ask("Change the greeting to: First")
    agent = start_agent()
    finished = agent.until(lambda: control_plane.events("turn_finished"), seconds=60)[0]
    agent.process.send_signal(signal.SIGTERM)

    assert agent.exit_status() == 0
    assert (finished["is_error"], finished["head_sha"]) == (False, github.head())
    assert (len(github.handed_out), github.revoked) == (3, [])
