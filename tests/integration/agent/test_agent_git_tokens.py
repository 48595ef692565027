"""A token for git that can push is revoked when that is done, and at the session's end at the latest."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub


def test_a_token_that_can_push_is_for_one_push_and_revoked_after_it(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("Change the greeting to: First")
    control_plane.ask("Look only", "scripted-model: run git status")
    agent = start_agent()
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2, seconds=60)
    agent.until(lambda: github.revoked == github.handed_out)

    assert len(github.handed_out) == 1
    assert len(control_plane.told("git-read-token")) == 3  # to clone, and to bring each turn up to date
    assert [turn["is_error"] for turn in control_plane.events("turn_finished")] == [False, False]


def test_a_shared_token_that_github_refuses_holds_no_session_up(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    github.read_token_works = False
    control_plane.ask("Change the greeting to: First")
    agent = start_agent()
    finished = agent.until(lambda: control_plane.events("turn_finished"), seconds=60)[0]
    agent.until(lambda: github.revoked == github.handed_out)

    assert (finished["is_error"], finished["head_sha"]) == (False, github.head())
    assert len(github.handed_out) == 3  # to clone, to bring the turn up to date, and to push


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
    assert (len(github.handed_out), github.revoked) == (1, [])
