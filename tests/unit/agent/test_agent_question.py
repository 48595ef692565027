"""The question that a turn's last message marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_agent_runner.claude.question import with_question
from cloud_agent_runner.claude.tool_policy import ToolPolicy


@pytest.mark.parametrize(
    ("result", "text", "question"),
    [
        ("Done.\n\n<question>\nWith tax?\n</question>", "Done.\n\nWith tax?", "With tax?"),
        ("Done.\n<question>\nWith tax?\n</question>\n\n(Pushed.)", "Done.\n\nWith tax?\n\n(Pushed.)", "With tax?"),
        ("<question>\nA?\n</question>\n2\n<question>\nB?\n</question>", "A?\n\n2\n\nB?", "B?"),
        ("Shall I go on?", "Shall I go on?", ""),  # what isn't marked isn't taken for one
        ("Done.\n<question>\nbroken off", "Done.\n<question>\nbroken off", ""),
        ("Done.\n<question>\n\n</question>", "Done.", ""),
    ],
)
def test_it_is_read_where_it_is_whole_and_stays_in_the_message(result: str, text: str, question: str) -> None:
    assert with_question(result) == (text, question)


def test_claude_codes_own_way_to_ask_leads_to_it() -> None:
    assert "<question>" in (ToolPolicy(Path("/w")).objection("AskUserQuestion", "{'questions': []}") or "")
