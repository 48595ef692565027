"""A secret in a turn's commits: Claude is asked once to take it out, and nothing is pushed while it's there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub

KEY_ID = "AKIAQYLPMN5H" + "FXQ2YZ7T"  # in two parts, so that nobody's scanner stops a push of this file
COMMIT = "git add --all && git commit --quiet --message"
LEAK = f"""\
scripted-model: run echo 'KEY = "{KEY_ID}"' > config.py && {COMMIT} 'Add the key'
scripted-model: run echo 'print("hello")' > hello.py && git rm --quiet --cached config.py && {COMMIT} 'Greet'
"""
REMOVE = "scripted-model: once refused run git reset --quiet --soft HEAD~2 && rm config.py && git add --all"


def test_a_secret_that_claude_takes_out_is_never_pushed_and_the_rest_is(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane, log_of: Callable[..., Any]
) -> None:
    before = github.head()
    control_plane.ask("Store a file", f"{LEAK}{REMOVE} && git commit --quiet --message 'Greet' && echo taken out")
    agent = start_agent()
    finished = agent.until(lambda: control_plane.events("turn_finished"), seconds=60)[0]

    assert (False, github.head()) == (finished["is_error"], finished["head_sha"])
    assert github.subjects() == ["Greet", "start"]
    assert before != github.head()
    assert github.files("config.py") == ""
    assert ("taken out" in finished["result"], finished["result"].count("Output of the last command")) == (True, 2)
    assert len({call["prompt_id"] for call in agent.until(lambda: control_plane.recorded("tool_call"))}) == 1
    assert KEY_ID not in finished["result"]
    assert [entry["reason"] for entry in log_of(agent) if entry.get("message") == "turn not published"] != []


def test_a_secret_that_stays_stops_the_push_and_the_person_is_told_where_it_is(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    before = github.head()
    control_plane.ask("Store a file", f"{LEAK}scripted-model: once refused run echo it stays")
    agent = start_agent()
    finished = agent.until(lambda: control_plane.events("turn_finished"), seconds=60)[0]

    assert (True, None, before) == (finished["is_error"], finished["head_sha"], github.head())
    assert finished["result"].startswith("Nothing was pushed to claude/42")
    assert "`config.py` line 1, commit " in finished["result"]
    assert "aws-access-key-id" in finished["result"]
    assert "it stays" in finished["result"]
    assert KEY_ID not in finished["result"]
    assert KEY_ID not in agent.log.read_text()
