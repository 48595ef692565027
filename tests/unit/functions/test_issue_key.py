"""What names an issue, and that its branch is always one that Git takes."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_agent.domain.session.issue_key import branch_name, issue_key, own_branch_name, projects_in

PROJECTS = frozenset({"AGNTS", "AB1", "CD", "WEB", "A", "ABCDEFGHIJK"})
TITLES = st.one_of(
    st.text(max_size=300),
    st.from_regex(r"[ -~]{0,20}[A-Z][A-Z0-9]{0,12}-[0-9]{1,12}[ -~]{0,20}", fullmatch=True),
)


def _git_accepts(branch: str) -> bool:
    return (
        subprocess.run(["git", "check-ref-format", "--branch", branch], capture_output=True, check=False).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("AGNTS-124 Show the total", "AGNTS-124"),
        ("Show the total (AGNTS-124)", "AGNTS-124"),
        ("[AB1-7]: first of AB1-7 and CD-8", "AB1-7"),
        ("Read UTF-8 and RFC-9110 as in WEB-3", "WEB-3"),
        ("Support UTF-8, PHP-8 and COVID-19", "42"),
        ("agnts-124 in lower case is a word", "42"),
        ("A-1 is too short for a project", "42"),
        ("ABCDEFGHIJK-1 is too long for one", "42"),
        ("AGNTS-0 and AGNTS-012 are no keys", "42"),
        ("XAGNTS-124x, _AGNTS-124, AGNTS-124-5", "42"),
        ("AGNTS-12345678901 has too many digits", "42"),
        ("", "42"),
        ("**AGNTS-9** “quoted” 😀\nsecond line", "AGNTS-9"),
    ],
)
def test_the_key_is_the_trackers_in_the_title_else_the_number(title: str, expected: str) -> None:
    assert expected == issue_key(title, 42, PROJECTS)


def test_no_text_is_a_key_unless_its_project_is_named() -> None:
    assert issue_key("AGNTS-124 Show the total", 42) == "42"


def test_a_second_issue_with_a_key_has_a_branch_that_names_both() -> None:
    assert own_branch_name("AGNTS-124", 57) == "claude/agnts-124-57"


@pytest.mark.parametrize(("key", "branch"), [("AGNTS-124", "claude/agnts-124"), ("42", "claude/42")])
def test_the_branch_is_the_key_in_lower_case(key: str, branch: str) -> None:
    assert branch == branch_name(key)


def test_gits_own_check_can_refuse() -> None:
    assert not _git_accepts("claude/a..b")


@settings(max_examples=60, deadline=None)
@given(title=TITLES, number=st.integers(min_value=1, max_value=10**9))
def test_whatever_the_title_the_branch_is_a_git_ref(title: str, number: int) -> None:
    assert _git_accepts(branch_name(issue_key(title, number)))


MERGES = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 41))


@pytest.mark.parametrize(
    ("settings", "projects"),
    [
        ("", set()),
        ("tracker_keys: [AGNTS, SHOP]\ndev: npm start", {"AGNTS", "SHOP"}),
        ("tracker_keys:\n- AGNTS\n- agnts\n- 7\n- [SHOP]", {"AGNTS"}),
        ("tracker_keys: AGNTS", set()),
        ("# tracker_keys", set()),
        ("tracker_keys: [AGNTS", set()),
        ("- tracker_keys", set()),
        ("tracker_keys: " + "[" * 2_000, set()),
        ("tracker_keys: [AGNTS]\nat: " + "[" * 19 + "]" * 19, {"AGNTS"}),
        ("tracker_keys: [AGNTS]\nat: " + "[" * 20 + "]" * 20, set()),  # as the agent says: nested too deeply
        (f"tracker_keys: [AGNTS]\nat: [{'7,' * 4_980}]", {"AGNTS"}),
        (f"tracker_keys: [AGNTS]\nat: [{'7,' * 5_000}]", set()),  # as the agent says: too many values
        ("tracker_keys: [AGNTS] #" + "x" * 65_536, set()),
        ("tracker_keys: [AGNTS]\nat: 2026-99-99", {"AGNTS"}),
        ("tracker_keys: [AGNTS]\non: !!bool x", {"AGNTS"}),
        ("tracker_keys: [AGNTS]\nat: !!timestamp x", {"AGNTS"}),
        ("tracker_keys: !!set [AGNTS]\n? [a, b]\n: c", {"AGNTS"}),
        ("tracker_keys: !!map AGNTS", set()),
        (f"a0: &a0 {{k: v}}\n{MERGES}tracker_keys: [AGNTS]", {"AGNTS"}),  # constructed, 10^40 times the file
    ],
)
def test_a_repositorys_projects_are_read_from_its_settings(settings: str, projects: set[str]) -> None:
    assert projects_in(settings) == projects
