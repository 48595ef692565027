"""Which commits a comment may list: the branch's own, whatever was merged into it or it was rebased onto."""

from __future__ import annotations

import pytest

from cloud_agent.domain.session.provenance import INITIAL_SUBJECT, Commit, cut, lineage, others_met, own_commits

BRANCH, OTHER = "claude/42", "claude/43"
MESSAGE = f"{INITIAL_SUBJECT}#42"


def commit(sha: str, *parents: str, subject: str = "") -> Commit:
    return Commit(sha, subject or f"Do {sha}", f"https://github.com/acme/shop/commit/{sha}", parents)


INITIAL = commit("i", "main0", subject=MESSAGE)


def shas(commits: tuple[Commit, ...]) -> list[str]:
    return [one.sha for one in commits]


def test_the_line_goes_from_the_head_down_to_the_initial_commit() -> None:
    line = lineage([INITIAL, commit("a", "i"), commit("b", "a")], "i", MESSAGE)
    assert (shas(line.commits), line.complete) == (["b", "a"], True)


def test_what_was_merged_into_the_branch_is_not_on_its_line() -> None:
    listed = [
        INITIAL,
        commit("main1", "main0"),
        commit("a", "i"),
        commit("theirs", "main1"),
        commit("m", "a", "theirs"),
    ]
    assert shas(lineage(listed, "i", MESSAGE).commits) == ["m", "a"]


def test_a_rebased_initial_commit_is_known_by_its_message() -> None:
    listed = [commit("theirs", "main0"), commit("i2", "theirs", subject=MESSAGE), commit("a2", "i2")]
    line = lineage(listed, "i", MESSAGE)
    assert (shas(line.commits), line.complete) == (["a2"], True)


def test_without_its_initial_commit_the_line_runs_on_and_says_so() -> None:
    line = lineage([commit("main1", "main0"), commit("a2", "main1")], "i", MESSAGE)
    assert (shas(line.commits), line.complete) == (["a2", "main1"], False)
    assert shas(cut(line, {"a2"})) == ["a2"]


def test_an_incomplete_line_that_the_default_branch_lacks_altogether_is_kept_whole() -> None:
    line = lineage([commit("a2", "main0"), commit("b2", "a2")], "i", MESSAGE)
    assert shas(cut(line, {"a2", "b2"})) == ["b2", "a2"]


def test_an_empty_branch_has_no_line() -> None:
    assert lineage([], "i", MESSAGE).commits == ()


def test_a_root_commit_ends_the_line() -> None:
    assert shas(lineage([commit("r")], None, MESSAGE).commits) == ["r"]


def test_commits_first_seen_on_another_branch_are_left_out() -> None:
    line = (commit("b2", "t"), commit("t", "x"), commit("mine", "x"))
    assert shas(own_commits(line, {"t": OTHER, "mine": BRANCH}, BRANCH)) == ["b2", "mine"]


def test_no_initial_commit_is_work() -> None:
    theirs = commit("j", "main0", subject=f"{INITIAL_SUBJECT}#43")
    assert own_commits((INITIAL, theirs), {}, BRANCH) == ()


def test_the_line_of_another_session_is_met_by_a_commit_seen_there_or_by_its_initial_commit() -> None:
    theirs = commit("j", "main0", subject=f"{INITIAL_SUBJECT}AGNTS-124")
    assert {OTHER, "claude/agnts-124"} == others_met((commit("t"), theirs, INITIAL), {"t": OTHER}, BRANCH)
    assert set() == others_met((commit("a"), INITIAL), {"a": BRANCH}, BRANCH)


@pytest.mark.parametrize("key", ["", "../../x", "a/b", "42?x=", "x" * 41, "42 and more"])
def test_a_message_that_names_no_key_names_no_branch(key: str) -> None:
    assert set() == others_met((commit("j", subject=INITIAL_SUBJECT + key),), {}, BRANCH)


def test_what_two_sessions_could_have_made_is_claimed_by_neither_until_it_is_known() -> None:
    line = (commit("a"), commit("t"))
    assert shas(own_commits(line, {}, BRANCH, elsewhere={"t"})) == ["a"]
    assert shas(own_commits(line, {"t": BRANCH}, BRANCH, elsewhere={"t"})) == ["a", "t"]
