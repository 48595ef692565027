"""Which names a session's branch may have, and what takes one."""

from __future__ import annotations

import pytest

from cloud_agent.domain.session.branch_names import alternatives, blocking, in_other_case


def test_the_first_alternatives_stay_in_the_folder() -> None:
    names = alternatives("claude/42")
    assert names[:2] == ["claude/42-2", "claude/42-3"]
    assert names.index("claude-42") + 1 == names.index("claude-42-2")
    assert len(names) == len(set(names))


@pytest.mark.parametrize("other", ["claude", "Claude", "claude/42/x", "CLAUDE/42", "claude/42/x/y"])
def test_a_name_in_another_case_or_on_the_way_to_it_blocks(other: str) -> None:
    assert blocking("claude/42", ["main", other]) == other


@pytest.mark.parametrize("other", ["claude/42", "claude/421", "claude/4", "claud", "claude-42", "x/claude/42"])
def test_other_names_and_the_name_itself_do_not_block(other: str) -> None:
    assert blocking("claude/42", [other]) is None


def test_a_name_is_looked_for_as_people_write_it() -> None:
    assert in_other_case("claude/42") == ["Claude/42", "CLAUDE/42"]
    assert in_other_case("claude/agnts-124")[:2] == ["claude/AGNTS-124", "Claude/agnts-124"]
    assert len(set(in_other_case("claude/agnts-124"))) == 5
