"""Names given to git: what is a ref, what resolves, and that nothing else reaches git."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from local_github import history
from local_github.bare_repository import NO_COMMIT, BareRepository, Identity, clean_environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> BareRepository:
    home = tmp_path_factory.mktemp("home")
    made = BareRepository(home / "x.git", clean_environment(home))
    made.create()
    sha = made.commit_tree(made.tree_with_one_file("a", b"1\n"), [], "first", Identity("n", "n@example.com"))
    made.update_ref("refs/heads/main", sha, NO_COMMIT)
    made.update_ref("refs/heads/claude/1", sha, NO_COMMIT)
    made.update_ref("refs/tags/v1", sha, NO_COMMIT)
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab/.-@{}~^:?*[\\ \x7f\tlock", max_size=12))
@example("a.lock/b")
@example("@")
@example("a//b")
@example("a/")
@example(".a")
@example("é😀")
def test_a_ref_is_valid_exactly_when_git_says_so(git: BareRepository, name: str) -> None:
    ref = f"refs/heads/{name}"
    accepted = subprocess.run(["git", "check-ref-format", ref], cwd=git.path, check=False).returncode == 0
    assert (accepted and "/-" not in ref) == git.is_valid_ref(ref)


@pytest.mark.parametrize("name", ["main", "claude/1", "v1", "refs/heads/main", "heads/main", "tags/v1", "HEAD"])
def test_the_names_of_a_commit_resolve(git: BareRepository, name: str) -> None:
    assert git.branch_sha("main") == git.resolve(name)
    assert git.branch_sha("main") == git.resolve((git.resolve(name) or "")[:7])


@pytest.mark.parametrize(
    "name", ["main~0", "main^{commit}", ":/first", "@{-1}", "--all", "-h", "", "a\0b", "main..main", "*"]
)
def test_an_expression_or_option_does_not_resolve(git: BareRepository, name: str) -> None:
    assert git.resolve(name) is None


@pytest.mark.parametrize("path", ["..", "../config", "a/..", "/a", "a/", ".", "a\0", "-r", ":(glob)*", "missing"])
def test_a_path_names_a_file_or_nothing(git: BareRepository, path: str) -> None:
    sha = git.branch_sha("main") or ""
    assert git.entry(sha, path) is None
    entry = git.entry(sha, "a")
    assert entry is not None
    assert (entry.kind, entry.size) == ("blob", 2)


def test_the_machines_git_configuration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = tmp_path / ".gitconfig"
    evil.write_text("[init]\n\tdefaultBranch = evil\n[core]\n\thooksPath = /nowhere\n[diff]\n\tnoprefix = true\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(evil))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    made = BareRepository(tmp_path / "y.git", clean_environment(tmp_path))
    made.create()
    assert made.default_branch() == "main"
    tree = made.tree_with_one_file("a", b"1\n")
    sha = made.commit_tree(tree, [], "m\n\nbody", Identity("n", "n@example.com"))
    assert history.commit(made, sha).message == "m\n\nbody"


def test_a_branch_is_found_wherever_git_keeps_it(tmp_path: Path) -> None:
    made = BareRepository(tmp_path / "z.git", clean_environment(tmp_path))
    made.create()
    sha = made.commit_tree(made.tree_with_one_file("a", b"1\n"), [], "first", Identity("n", "n@example.com"))
    made.update_ref("refs/heads/claude/1", sha, NO_COMMIT)
    assert made.branch_sha("claude/1") == sha
    made.run("pack-refs", "--all")
    assert made.branch_sha("claude/1") == sha
    made.delete_ref("refs/heads/claude/1", sha)
    assert made.branch_sha("claude/1") is None
