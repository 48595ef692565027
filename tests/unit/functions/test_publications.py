"""The bookkeeping of what stands on GitHub, and of which branch a commit was first seen on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_agent.adapters.table.publications import KEPT_COMMITS, Publications
from cloud_agent.domain.session.provenance import Commit

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ID, REPOSITORY_ID = "09e22a8b", 1


@pytest.fixture
def publications(table: Table) -> Publications:
    return Publications(table.name)


def test_of_a_session_that_was_never_published_nothing_stands_on_github(publications: Publications) -> None:
    published = publications.of(ID)
    assert (
        published.essence,
        published.body,
        published.head_sha,
        published.commits,
        published.made_ready,
    ) == ("", "", None, (), False)


def test_only_the_first_try_of_an_operation_is_the_first(publications: Publications) -> None:
    assert [publications.first_try(ID, "comment") for _ in range(2)] == [True, False]
    assert publications.first_try(ID, "deployment")
    assert publications.first_try("00000000", "comment")


def test_what_was_recorded_is_read_again_and_nothing_else_is_lost(publications: Publications) -> None:
    commit = Commit("a" * 40, "Show the menu", "https://github.com/acme/shop/commit/a", ("b" * 40,), author="Jo")
    publications.record_commits(ID, "a" * 40, [commit], others=2, closes=["#7"])
    publications.record_announced(ID, ["a" * 40])
    publications.record_announced(ID, [])
    publications.record_edit(ID, "essence", "body")
    publications.record_ready(ID)
    published = publications.of(ID)
    (kept,) = published.commits
    assert (commit.sha, commit.subject, commit.url, "Jo") == (kept.sha, kept.subject, kept.url, kept.author)
    assert (published.others, published.closes) == (2, ("#7",))
    assert ("a" * 40, 1, frozenset({"a" * 40})) == (published.head_sha, published.commit_count, published.announced)
    assert (published.essence, published.body, published.made_ready) == ("essence", "body", True)


def test_of_very_many_commits_the_newest_are_kept_and_all_are_counted(publications: Publications) -> None:
    commits = [Commit(f"{n:040x}", "x" * 50_000, "u") for n in range(KEPT_COMMITS + 50)]
    publications.record_commits(ID, commits[0].sha, commits, others=0, closes=())
    published = publications.of(ID)
    assert (len(published.commits), published.commit_count) == (KEPT_COMMITS, KEPT_COMMITS + 50)
    assert commits[0].sha == published.commits[0].sha


def test_the_branch_that_a_commit_was_first_seen_on_stands(publications: Publications) -> None:
    publications.claim_commits(REPOSITORY_ID, "claude/1", ["a", "b"])
    publications.claim_commits(REPOSITORY_ID, "claude/2", ["b", "c"])
    expected = {"a": "claude/1", "b": "claude/1", "c": "claude/2"}
    assert expected == publications.branches_of(REPOSITORY_ID, ["a", "b", "c", "d", "a"])
    assert publications.branches_of(2, ["a"]) == {}
    assert publications.branches_of(REPOSITORY_ID, []) == {}


def test_more_commits_than_one_request_asks_for_are_looked_up(publications: Publications) -> None:
    shas = [f"{n:040x}" for n in range(230)]
    publications.claim_commits(REPOSITORY_ID, "claude/1", shas)
    assert dict.fromkeys(shas, "claude/1") == publications.branches_of(REPOSITORY_ID, shas)
