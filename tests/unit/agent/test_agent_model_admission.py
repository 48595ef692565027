"""What the gateway admits, held against the pinned Claude Code and the API's versions of its tools."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import claude_agent_sdk
import pytest

from cloud_agent_runner.model.admission import refusal

CLAUDE_CODE = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"


def test_the_web_search_that_claude_code_asks_for_is_admitted() -> None:
    with CLAUDE_CODE.open("rb") as program, mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as content:
        kinds = {kind.decode() for kind in re.findall(rb'type:"(web_search_\d{8})"', content)}
    assert kinds
    assert [refusal({"tools": [{"type": kind}]}) for kind in kinds] == [None] * len(kinds)


@pytest.mark.parametrize(
    "kind", [None, "custom", "bash_20250124", "memory_20250818", "text_editor_20250728", "tool_search_tool_bm25"]
)
def test_a_tool_that_the_provider_does_not_run_is_admitted(kind: str | None) -> None:
    assert refusal({"tools": [{"name": "a", "type": kind}]}) is None


@pytest.mark.parametrize(
    "kind",
    ["advisor_20260301", "bash_code_execution_20260101", "web_search_20260209", "web_fetch_20250910", "", "new", 7],
)
def test_a_tool_of_an_unknown_type_is_refused(kind: object) -> None:
    assert refusal({"tools": [{"name": "a"}, {"type": kind, "name": "b"}]})


def test_a_member_that_nobody_has_looked_at_is_refused_by_its_name() -> None:
    assert refusal({"model": "m", "next_big_thing": 1}) == "next_big_thing: this gateway doesn't admit it."
