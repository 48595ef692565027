"""Which commits a comment may list: the branch's own, whatever was merged into it or it was rebased onto."""

from __future__ import annotations

import pytest

from cloud_agent.domain.session.provenance import (
    INITIAL_SUBJECT,
    Commit,
    cut,
    initial_commit,
    lineage,
    others_met,
    own_commits,
    with_claudes,
)

BRANCH, OTHER = "claude/42", "claude/43"
MESSAGE = f"{INITIAL_SUBJECT}#42"


def commit(sha: str, *parents: str, message: str = "", is_empty: bool = False) -> Commit:
    url = f"https://github.com/acme/shop/commit/{sha}"
    return Commit(sha, message or f"Do {sha}", url, parents, is_empty=is_empty)


INITIAL = commit("i", "main0", message=MESSAGE, is_empty=True)


def test_what_the_app_has_authored_is_claudes_and_nobody_elses_is() -> None:
    by = [Commit(author or "none", "Do it", "u", author=author) for author in ("my-app[bot]", "zoe", "", None)]
    assert [one.author for one in with_claudes(by, "my-app[bot]")] == [None, "zoe", "", None]
    assert with_claudes(by, None) == by


def shas(commits: tuple[Commit, ...]) -> list[str]:
    return [one.sha for one in commits]


def test_the_line_goes_from_the_head_down_to_the_initial_commit() -> None:
    line = lineage([INITIAL, commit("a", "i"), commit("b", "a")], "i")
    assert (shas(line.commits), line.complete) == (["b", "a"], True)


def test_the_line_ends_above_what_somebodys_pull_request_had_before() -> None:
    listed = [commit("b", "theirs"), commit("c", "b")]
    line = lineage(listed, None, above="theirs")
    assert (shas(line.commits), line.complete) == (["c", "b"], True)
    assert lineage(listed, None).complete is False
    assert lineage([commit("theirs", "main0"), *listed], None, above="theirs").commits == line.commits


def test_what_was_merged_into_the_branch_is_not_on_its_line() -> None:
    listed = [
        INITIAL,
        commit("main1", "main0"),
        commit("a", "i"),
        commit("theirs", "main1"),
        commit("m", "a", "theirs"),
    ]
    assert shas(lineage(listed, "i").commits) == ["m", "a"]


def test_no_message_ends_the_line() -> None:
    """A commit that changes a file, one with the initial commit's message on top of it, and one on top of both."""
    listed = [INITIAL, commit("a", "i"), commit("x", "a", message=MESSAGE, is_empty=True), commit("b", "x")]
    line = lineage(listed, "i")
    assert (shas(line.commits), line.complete) == (["b", "x", "a"], True)
    assert shas(own_commits(line.commits, {}, BRANCH)) == ["b", "a"]


def test_no_message_takes_a_commit_that_changes_files_off_the_list() -> None:
    line = (commit("b", "x"), commit("x", "i", message=MESSAGE))
    assert shas(own_commits(line, {}, BRANCH)) == ["b", "x"]


@pytest.mark.parametrize(
    "message", [f"{MESSAGE}\n\nCloses #1", f"{MESSAGE} @octo-dev", f"{INITIAL_SUBJECT}#42 Closes #1"]
)
def test_an_empty_commit_that_says_more_than_the_initial_one_is_listed(message: str) -> None:
    assert shas(own_commits((commit("x", "i", message=message, is_empty=True),), {}, BRANCH)) == ["x"]


def test_a_rebased_initial_commit_is_not_listed() -> None:
    listed = [
        commit("theirs", "main0"),
        commit("i2", "theirs", message=MESSAGE + "\n", is_empty=True),
        commit("a2", "i2"),
    ]
    line = lineage(listed, "i")
    assert not line.complete
    assert shas(own_commits(cut(line, {"i2", "a2"}), {}, BRANCH)) == ["a2"]


def test_the_initial_commit_of_a_branch_that_is_there_already_is_its_lowest_if_it_is_empty() -> None:
    assert initial_commit([INITIAL, commit("a", "i")]) == "i"
    assert initial_commit([commit("main1", "main0"), INITIAL, commit("a", "i"), commit("m", "a", "main1")]) == "i"
    assert initial_commit([commit("a", "main0"), commit("x", "a", message=MESSAGE, is_empty=True)]) is None
    assert initial_commit([commit("x", "main0", message=MESSAGE), commit("b", "x")]) is None
    assert initial_commit([]) is None


def test_without_its_initial_commit_the_line_runs_on_and_says_so() -> None:
    line = lineage([commit("main1", "main0"), commit("a2", "main1")], "i")
    assert (shas(line.commits), line.complete) == (["a2", "main1"], False)
    assert shas(cut(line, {"a2"})) == ["a2"]


def test_an_incomplete_line_that_the_default_branch_lacks_altogether_is_kept_whole() -> None:
    line = lineage([commit("a2", "main0"), commit("b2", "a2")], "i")
    assert shas(cut(line, {"a2", "b2"})) == ["b2", "a2"]


def test_an_empty_branch_has_no_line() -> None:
    assert lineage([], "i").commits == ()


def test_a_root_commit_ends_the_line() -> None:
    assert shas(lineage([commit("r")], None).commits) == ["r"]


def test_commits_first_seen_on_another_branch_are_left_out() -> None:
    line = (commit("b2", "t"), commit("t", "x"), commit("mine", "x"))
    assert shas(own_commits(line, {"t": OTHER, "mine": BRANCH}, BRANCH)) == ["b2", "mine"]


def test_no_initial_commit_is_work() -> None:
    theirs = commit("j", "main0", message=f"{INITIAL_SUBJECT}AGNTS-124", is_empty=True)
    assert own_commits((INITIAL, theirs), {}, BRANCH) == ()


def test_the_line_of_another_session_is_met_by_a_commit_seen_there_and_by_no_message() -> None:
    claims = commit("j", "main0", message=f"{INITIAL_SUBJECT}AGNTS-124", is_empty=True)
    assert {OTHER} == others_met((commit("t"), claims, INITIAL), {"t": OTHER}, BRANCH)
    assert set() == others_met((commit("a"), INITIAL), {"a": BRANCH}, BRANCH)


def test_what_two_sessions_could_have_made_is_claimed_by_neither_until_it_is_known() -> None:
    line = (commit("a"), commit("t"))
    assert shas(own_commits(line, {}, BRANCH, elsewhere={"t"})) == ["a"]
    assert shas(own_commits(line, {"t": BRANCH}, BRANCH, elsewhere={"t"})) == ["a", "t"]
