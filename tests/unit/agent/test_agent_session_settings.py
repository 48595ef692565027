"""What a repository and the deployment both have a say in."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_agent_runner.repository.config import RepositoryConfig
from cloud_agent_runner.session import _assignment as assignment
from cloud_agent_runner.session import _budget as budget
from cloud_agent_runner.settings import Settings

ENVIRONMENT = {
    "SESSION_ID": "0a1b2c3d", "SESSION_TOKEN": "s", "TASK_TOKEN": "t", "REPOSITORY": "acme/lunch", "BRANCH": "b",
    "AGENT_API_URL": "https://api.example", "GITHUB_URL": "https://github.example", "ANTHROPIC_API_KEY": "k",
    "CLAUDE_MODEL": "claude-sonnet-5-5",
}  # fmt: skip


def settings(**more: str) -> Settings:
    return Settings.from_environment(ENVIRONMENT | more)


@pytest.mark.parametrize(
    ("file", "deployment", "holds"),
    [
        (RepositoryConfig(), {"MAX_TURNS": "200", "MAX_BUDGET_USD": "5"}, (200, 5)),
        (RepositoryConfig(max_turns=20, budget_usd=0.05), {"MAX_TURNS": "200", "MAX_BUDGET_USD": "5"}, (20, 0.05)),
        (RepositoryConfig(max_turns=900, budget_usd=900), {"MAX_TURNS": "200", "MAX_BUDGET_USD": "0.05"}, (200, 0.05)),
    ],
    ids=["the deployment alone", "the repository says less", "the repository says more"],
)
def test_the_lesser_of_the_two_limits_holds(
    file: RepositoryConfig, deployment: dict[str, str], holds: tuple[int, float]
) -> None:
    made = budget(settings(**deployment), file)
    assert (made.max_turns, made.budget_usd) == holds


@pytest.mark.parametrize(("file", "deployment", "on"), [(True, "on", True), (False, "on", False), (True, "off", False)])
def test_either_may_turn_the_repositorys_claude_settings_off(
    file: bool,  # noqa: FBT001 - a case
    deployment: str,
    on: bool,  # noqa: FBT001 - as above
) -> None:
    config = RepositoryConfig(claude_settings=file)
    made = assignment(settings(REPOSITORY_CLAUDE_SETTINGS=deployment), config, Path("/work"), "Be brief.", None)
    assert made.repository_settings is on
