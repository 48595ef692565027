from __future__ import annotations

from typing import Any

import pytest

from scripted_model.conversation import Prompt, ToolResult, last_prompt
from scripted_model.requests import Commands, Greeting, Note, Page, request_of


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("Change the greeting to: Hello from Claude", "", Greeting("Hello from Claude")),
        ("Greeting", "Change the greeting to “Hello from Claude”.", Greeting("Hello from Claude")),
        ("Greeting", "please change the greeting to `Hello`, thanks", Greeting("Hello")),
        ("Greeting", "Change the greeting to:\n\n> Bon appétit!\n\nThanks", Greeting("Bon appétit!")),
        ("Greeting", "Change the greeting to:\n```text\nBon appétit!\n```", Greeting("Bon appétit!")),
        ("Make the headline say 'Good morning'", "", Greeting("Good morning")),
        ("x", "Change the greeting to: It's $5 & <b>up</b>", Greeting("It's $5 & <b>up</b>")),
        ("Add a page /about that says “We are hungry”", "", Page("about", "We are hungry")),
        ("Docs", "Please add a new page at `/opening-hours` saying: 11 to 2", Page("opening-hours", "11 to 2")),
        ("Add a page /team", "", Page("team", "Team")),
        ("Add a page /frame that says boo", "", Note("Add a page /frame that says boo")),
        ("Reorder the dishes", "y" * 65_536, Note("Reorder the dishes")),
        ("", "", Note("A request without text.")),
        ("x" * 400, "", Note("x" * 279 + "…")),
        ("t", "scripted-model: run env\nscripted-model: run ls -l", Commands(["env", "ls -l"])),
        ("t", 'scripted-model: use Skill {"skill": "a"}', Commands([], [("Skill", {"skill": "a"})])),
    ],
)
def test_a_request_is_understood(title: str, body: str, expected: Greeting | Page | Note | Commands) -> None:
    assert expected == request_of(Prompt(title, body))


def _request(title: str) -> dict[str, str]:
    return {"type": "text", "text": f"Do it.\n<issue-0a1b>\nTitle: {title}\n\nbody\n</issue-0a1b>"}


def test_only_results_after_the_last_request_count() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "old"}]}
    newer = {"type": "tool_result", "tool_use_id": "u", "content": "new", "is_error": True}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [_request("first")]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]},
        {"role": "user", "content": [result, _request("second")]},
        {"role": "assistant", "content": "working"},
        {"role": "user", "content": [newer]},
    ]
    assert (Prompt("second", "body"), [ToolResult("new", is_error=True)]) == last_prompt(messages)


def test_a_refused_push_has_what_the_prompt_says_for_it_done() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "of the first turn"}
    body = "scripted-model: run one\nscripted-model: once refused run two"
    request = {"type": "text", "text": f"<issue-0a1b>\nTitle: t\n\n{body}\n</issue-0a1b>"}
    refusal = {"type": "text", "text": "Amend.\n<refused_push-0a1b>\n- a place\n</refused_push-0a1b>"}
    newer = {"type": "tool_result", "tool_use_id": "u", "content": "of the second"}
    messages = [{"role": "user", "content": [block]} for block in (request, result, refusal, newer)]

    assert last_prompt(messages[:2])[0].commands == ["one"]
    prompt, results = last_prompt(messages)
    assert (["two"], [ToolResult("of the second", is_error=False)]) == (prompt.commands, results)


def test_a_prompt_may_order_a_failure() -> None:
    assert Prompt("t", "text\nscripted-model: fail 529\n").failure == 529
    assert Prompt("scripted-model: fail 529", "").failure is None


def test_a_prompt_may_order_a_slow_response() -> None:
    assert Prompt("t", "scripted-model: think 30").thinking_seconds == 30
    assert Prompt("scripted-model: think 30", "I think 30").thinking_seconds == 0


@pytest.mark.parametrize("kind", ["issue", "comment", "review", "review_comment"])
def test_every_kind_of_request_is_found_in_its_fence(kind: str) -> None:
    text = f"Do it.\n<{kind}-0a1b>\nTitle: t\n\nbody\n</{kind}-0a1b>"
    assert (Prompt("t", "body"), []) == last_prompt([{"role": "user", "content": text}])


def test_a_note_that_there_is_no_description_is_no_body() -> None:
    text = "<issue-0a1b>\nTitle: t\n\n(No description was given.)\n</issue-0a1b>"
    assert last_prompt([{"role": "user", "content": text}]) == (Prompt("t", ""), [])
