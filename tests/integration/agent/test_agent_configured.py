"""What a repository's own configuration file does to a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.agent.conftest import BRANCH, git

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub

CONFIG = ".github/claude-cloud-agent.yml"


def test_what_the_repository_says_of_the_session_is_reported_and_obeyed(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    github.commit(
        {
            CONFIG: "dev: python3 dev.py\nmax_turns: 2\nbudget_usd: 900\nidle_minutes: 20\nready_for_review: false\n"
            "host_header: public\nmodel: claude-haiku-4-5\nallowed_tools: [Bash, Read]\n"
        }
    )
    git("push", "--quiet", "origin", f"{BRANCH}:main", at=github.checkout)
    github.commit({CONFIG: "dve: python3 dev.py\n"})  # which is older than what the default branch has
    control_plane.ask("On and on", "\n".join(f"scripted-model: run echo {n}" for n in range(9)))
    agent = start_agent()
    turn = agent.until(lambda: control_plane.events("turn_finished"))[0]

    said = {"idle_minutes": 20, "max_turns": 2, "budget_usd": 900.0, "ready_for_review": False, "comment_trigger": None}
    ready = control_plane.told("ready")[0]
    assert (said, "public") == (ready["limits"], ready["host_header"])
    assert (turn["is_error"], turn["turns"]) == (True, 2)
    assert "the session has used all of its 2 model turns" in turn["result"]
    assert "uses the default branch's settings, since those of claude/42 can't be used" in turn["result"]
    agent.until(lambda: [one for one in control_plane.told("preview") if one["state"] == "live"])
    transcript = next((agent.home / ".claude" / "projects").glob("*/*.jsonl")).read_text()
    assert '"model":"claude-haiku-4-5"' in transcript


@pytest.mark.parametrize(("file", "deployment"), [("0.05", "5"), ("900", "0.05")])
def test_the_lesser_of_the_two_budgets_holds(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane, file: str, deployment: str
) -> None:
    github.commit({CONFIG: f"dev: python3 dev.py\nbudget_usd: {file}\n"})
    control_plane.ask("On and on", "\n".join(f"scripted-model: run echo {n}" for n in range(9)))
    agent = start_agent(MAX_BUDGET_USD=deployment)
    turn = agent.until(lambda: control_plane.events("turn_finished"))[0]

    assert turn["is_error"]
    assert "the session has used up its budget of $0.05" in turn["result"]


@pytest.mark.parametrize(("file", "deployment"), [("true", "on"), ("false", "on"), ("true", "off")])
def test_either_may_turn_the_repository_s_claude_settings_off(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane, file: str, deployment: str
) -> None:
    hook = '{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "echo ran >> ran.txt"}]}]}}'
    config = f"dev: python3 dev.py\nclaude_settings: {file}\n"
    github.commit({CONFIG: config, ".claude/settings.json": hook, ".gitignore": "ran.txt\n"})
    control_plane.ask("Look", "scripted-model: run cat ran.txt 2>/dev/null | wc -l")
    agent = start_agent(REPOSITORY_CLAUDE_SETTINGS=deployment)
    turn = agent.until(lambda: control_plane.events("turn_finished"))[0]

    ran = int((file, deployment) == ("true", "on"))
    assert f"Output of the last command:\n{ran}\n" in turn["result"]


def test_a_file_without_a_dev_command_leaves_it_to_be_found_out_and_tools_are_kept_to(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    package = '{"scripts": {"dev": "python3 dev.py"}}'
    said = "install: echo said > said.txt\nhealth_path: /health\nallowed_tools: [Read]\n"
    github.commit({CONFIG: said, "package.json": package, ".gitignore": "said.txt\n"})
    control_plane.ask("Try the shell", "scripted-model: run echo tried > tried.txt")
    agent = start_agent()
    turn = agent.until(lambda: control_plane.events("turn_finished"))[0]

    assert (agent.work_tree / "said.txt").read_text() == "said\n"
    assert control_plane.told("environment") == []
    assert (turn["is_error"], turn["head_sha"]) == (False, None)
    assert not (agent.work_tree / "tried.txt").exists()


def test_secrets_are_for_the_repository_s_commands_and_not_in_claude_s_environment(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.secrets = {"STRIPE_KEY": "sk_test_123", "OTHER": "not asked for"}
    dev = 'install: echo "$STRIPE_KEY" > install.txt\ndev: echo "$STRIPE_KEY" | tee dev.txt; exec python3 dev.py\n'
    github.commit({CONFIG: f"{dev}env: [STRIPE_KEY, STRIPE_KEY]\n", ".gitignore": "*.txt\n"})
    control_plane.ask("Look", "scripted-model: run env > own.txt")
    agent = start_agent()
    agent.until(lambda: control_plane.events("turn_finished"))
    own, dev_saw, install_saw = ((agent.work_tree / f"{name}.txt").read_text() for name in ("own", "dev", "install"))

    assert control_plane.told("environment") == [{"names": ["STRIPE_KEY"]}]
    assert [dev_saw, install_saw] == ["sk_test_123\n"] * 2
    assert "HOME=" in own
    assert "sk_test_123" not in own + agent.log.read_text()


def test_a_secret_that_does_not_exist_fails_the_preview_before_anything_is_run(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    github.commit({CONFIG: "install: touch ran.txt\ndev: python3 dev.py\nenv: [STRIPE_KEY]\n"})
    agent = start_agent()
    failed = agent.until(lambda: [one for one in control_plane.told("preview") if one["state"] == "failed"])[0]

    assert failed["detail"] == "There is no secret for STRIPE_KEY; create it."
    assert not (agent.work_tree / "ran.txt").exists()
    assert control_plane.told("done") == []
