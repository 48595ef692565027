"""A hostile repository and a hostile model in the real image: what each attack has gained.

docs/security.md has the walls. `repository/` is the repository: `attacks.py` runs in a turn, `dev.py` is the dev
server, `traps.sh` the install command.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.containers.red_team.attacked import Attacked

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

WORKSPACE = "10003"
MIB = 1024 * 1024
ATTEMPTED = [
    node.name
    for node in ast.parse(Path(__file__).with_name("repository").joinpath("attacks.py").read_text()).body
    if isinstance(node, ast.FunctionDef) and [ast.unparse(one) for one in node.decorator_list] == ["attack"]
] + ["guess_a_token_of_the_agent_api", "use_the_gateway_between_turns", "watch_for_credentials"]
# What runs by itself in a process of the workspace's, and must in nobody else's: each is seen to work.
ARMED = [
    "agent",
    "claude-hook",
    "command",
    "filter",
    "hook",
    "lfs",
    "loader",
    "mcp",
    "npm",
    "pip",
    "pth",
    "sitecustomize",
    "skill",
    "usercustomize",
]
PROTECTED = {
    ".devcontainer/devcontainer.json": "asked for\n",
    ".husky/pre-commit": "asked for\n",
    ".npmrc": "engine-strict=false\n",
    ".vscode/settings.json": "asked for\n",
}


@pytest.mark.parametrize("name", ATTEMPTED)
def test_an_attempt_is_refused(attacked: Attacked, name: str) -> None:
    outcome = attacked.reports[name]

    assert outcome["tried"] > 0
    assert (outcome["gained"], outcome["broken"]) == ([], [])


@pytest.mark.parametrize("name", ARMED)
def test_a_trap_catches_nobody_but_the_workspaces_user(attacked: Attacked, name: str) -> None:
    assert attacked.caught[name] == {WORKSPACE}


def test_no_other_trap_catches_anybody_else(attacked: Attacked) -> None:
    others = {name: users for name, users in attacked.caught.items() if users - {WORKSPACE}}
    assert others == {}


def test_no_process_outlives_its_turn(attacked: Attacked) -> None:
    assert "dev.py" in attacked.left_after_a_turn
    assert [line for line in attacked.left_after_a_turn.splitlines() if "9870" in line] == []


def test_a_commit_is_listed_whatever_its_message(attacked: Attacked) -> None:
    status = attacked.system.status_comment(attacked.session)

    assert "chore: initialize Claude agent session for 1" in status
    assert "docs: tidy" in status


@pytest.mark.parametrize("path", PROTECTED)
def test_a_file_that_claude_code_protects_is_edited_when_asked_for(attacked: Attacked, path: str) -> None:
    assert attacked.published(path) == PROTECTED[path]


def test_what_github_does_not_show_is_not_asked_of_claude(attacked: Attacked) -> None:
    assert not attacked.did_what_is_hidden


def test_a_commit_closes_no_issue(attacked: Attacked) -> None:
    assert "Closes: issue #1" in attacked.messages()


def test_a_replaced_commit_is_pushed_as_it_is(attacked: Attacked) -> None:
    assert attacked.published("replaced.txt") == "false\n"


def test_a_link_in_gits_folder_leads_the_supervisor_nowhere(attacked: Attacked) -> None:
    assert "written" not in attacked.bare_before
    assert attacked.published("hidden.txt") == "hidden\n"  # and the session lives on


def test_a_submodule_runs_nothing_and_is_pushed(attacked: Attacked) -> None:
    assert "submodule" not in attacked.caught
    assert "ext::" in attacked.published(".gitmodules")


def test_a_forged_result_is_not_shown_and_spends_no_less(attacked: Attacked) -> None:
    row = attacked.row

    assert "FORGED" not in attacked.replies["forged"]
    assert int(row["turns"]) >= 3 + 2 + 1
    assert float(row["cost_usd"]) > 0


def test_settings_without_effect_are_named_once(attacked: Attacked) -> None:
    replies = "".join(comment["body"] for comment in attacked.system.comments(int(attacked.row["pull_number"])))

    assert replies.count("`apiKeyHelper`, `env.ANTHROPIC_BASE_URL` have no effect") == 1


def test_a_work_tree_that_is_a_link_to_the_supervisors_repository_changes_nothing_there(attacked: Attacked) -> None:
    assert attacked.bare() == attacked.bare_before
    assert {line.split()[0] for line in attacked.bare_before.splitlines()} == {"supervisor"}


def test_a_flood_of_output_is_left_out_of_the_log(attacked: Attacked) -> None:
    assert "output left out" in attacked.log
    assert len(attacked.log) < 4 * MIB


def test_no_file_that_the_workspaces_user_can_read_holds_a_token(attacked: Attacked) -> None:
    assert attacked.files_with_secrets == ["/home/workspace/repository/dev.py"]
