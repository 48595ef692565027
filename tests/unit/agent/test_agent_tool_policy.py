from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from cloud_agent_runner.claude.tool_policy import ToolPolicy

if TYPE_CHECKING:
    from claude_agent_sdk.types import HookContext, PreToolUseHookInput, SyncHookJSONOutput

WORK_TREE = Path("/work-tree")


@pytest.mark.parametrize(
    "command",
    [
        "git push",
        "git push --force origin main",
        "cd x && git -C . -c user.name=a push origin HEAD",
        "/usr/bin/git push",
        "git --git-dir=.git push",
        "true; git push;",
    ],
)
def test_pushing_is_refused_in_words(command: str) -> None:
    assert "pushed for you" in (ToolPolicy(WORK_TREE).objection("Bash", command) or "")


@pytest.mark.parametrize(
    "command",
    [
        "git stash push -m x",
        "git commit -m 'push it'",
        "cp a .git/hooks/pre-push",
        "git log -- push.py",
        "npm run push",
        "git switch -c push",
    ],
)
def test_what_only_looks_like_a_push_is_let_through(command: str) -> None:
    assert ToolPolicy(WORK_TREE).objection("Bash", command) is None


def test_the_sixth_same_call_in_a_row_is_refused() -> None:
    policy = ToolPolicy(WORK_TREE)
    assert [policy.objection("Bash", "make") for _ in range(5)] == [None] * 5
    assert "5 times in a row" in (policy.objection("Bash", "make") or "")
    assert policy.objection("Bash", "make test") is None
    assert policy.objection("Bash", "make") is None


async def test_the_twelfth_same_call_in_a_row_ends_the_turn() -> None:
    policy = ToolPolicy(WORK_TREE)
    answers = [await _ask(policy, "make") for _ in range(11)]
    assert [answer.get("continue_") for answer in answers] == [None] * 11
    assert policy.loop is None
    last = await _ask(policy, "make")
    assert (last.get("continue_"), _decision(last)) == (False, "deny")
    assert policy.loop == "the very same Bash call was made 12 times in a row"
    another = await _ask(policy, "ls")
    assert (another.get("continue_"), _decision(another)) == (False, "deny")


async def test_the_same_command_on_other_arguments_starts_the_count_again() -> None:
    policy = ToolPolicy(WORK_TREE)
    for number in range(30):
        await _ask(policy, "make" if number % 11 else "make test")
    assert policy.loop is None


async def test_what_changes_something_is_held_back_until_it_may_and_reading_is_not() -> None:
    may_change = asyncio.Event()

    async def before_change() -> None:
        await may_change.wait()

    policy = ToolPolicy(WORK_TREE, before_change)
    assert await asyncio.wait_for(_ask(policy, "README.md", tool="Read"), 1) == {}
    calls = [asyncio.create_task(_ask(policy, "make", tool=tool)) for tool in ("Bash", "Write", "mcp__db__query")]
    _, held = await asyncio.wait(calls, timeout=0.05)
    assert len(held) == 3

    may_change.set()
    assert await asyncio.gather(*calls) == [{}, {}, {}]


async def test_a_refused_call_is_refused_at_once() -> None:
    policy = ToolPolicy(WORK_TREE, asyncio.Event().wait)  # type: ignore[arg-type]
    assert _decision(await asyncio.wait_for(_ask(policy, "git push"), 1)) == "deny"


def _decision(answer: SyncHookJSONOutput) -> object:
    return cast("dict[str, object]", answer.get("hookSpecificOutput", {})).get("permissionDecision")


async def _ask(policy: ToolPolicy, command: str, tool: str = "Bash") -> SyncHookJSONOutput:
    hook = policy.hooks()["PreToolUse"][0].hooks[0]
    call = {"hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": {"command": command}}
    answer = await hook(cast("PreToolUseHookInput", call), None, cast("HookContext", {}))
    return cast("SyncHookJSONOutput", answer)
