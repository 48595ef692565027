"""Git over HTTP: the repositories are real, and the rest of the GitHub sees what is pushed."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def _commit_file(git: Any, name: str, content: str, message: str = "change") -> str:
    (Path(git.folder) / "work" / name).write_text(content)
    git.run("add", "--all", folder="work")
    git.run("commit", "--quiet", "-m", message, folder="work")
    return str(git.run("rev-parse", "HEAD", folder="work"))


@pytest.fixture
def work(git: Any, server: Any, repo: str) -> str:
    """A clone, in the folder "work", that may push."""
    git.run("clone", "--quiet", git.url(repo, server.installation_token()), "work")
    return repo


def test_a_push_shows_in_the_open_pull_request_and_is_announced(
    git: Any,
    api: httpx.Client,
    work: str,
    branch_with_commit: Callable[[str], str],
    receiver: Any,
) -> None:
    first = branch_with_commit("claude/1")
    api.post(f"/repos/{work}/pulls", json={"title": "t", "head": "claude/1", "base": "main", "draft": True})
    git.run("fetch", "--quiet", folder="work")
    git.run("checkout", "--quiet", "claude/1", folder="work")
    second = _commit_file(git, "näme with 'quotes' .txt", "1\n2\n", "Add a file\n\nWith a body")
    git.run("push", "--quiet", folder="work")

    pull = api.get(f"/repos/{work}/pulls/1").json()
    assert (second, 2, 1, 2) == (pull["head"]["sha"], pull["commits"], pull["changed_files"], pull["additions"])
    assert [first, second] == [commit["sha"] for commit in api.get(f"/repos/{work}/pulls/1/commits").json()]
    (file,) = api.get(f"/repos/{work}/pulls/1/files").json()
    assert (
        file["filename"],
        file["status"],
        file["patch"],
    ) == ("näme with 'quotes' .txt", "added", "@@ -0,0 +1,2 @@\n+1\n+2")
    push = receiver.wait_for("push", after=second).payload
    assert ("refs/heads/claude/1", first, False) == (push["ref"], push["before"], push["forced"])
    assert [(second, ["näme with 'quotes' .txt"])] == [(c["id"], c["added"]) for c in push["commits"]]
    synchronize = receiver.wait_for("pull_request", "synchronize").payload
    assert (first, second) == (synchronize["before"], synchronize["after"])
    assert synchronize["sender"]["login"] == "local-app[bot]"


def test_renames_binaries_links_and_deletions_are_told_apart(git: Any, api: httpx.Client, work: str) -> None:
    folder = Path(git.folder) / "work"
    (folder / "old.txt").write_text("same\n" * 20)
    (folder / "becomes-link").write_text("text\n")
    (folder / "gone.txt").write_text("diff --git a/x b/x\n@@ -1 +1 @@\n")
    before = _commit_file(git, "image.bin", "x")
    (folder / "old.txt").rename(folder / "new.txt")
    (folder / "becomes-link").unlink()
    (folder / "becomes-link").symlink_to("new.txt")
    (folder / "gone.txt").unlink()
    (folder / "image.bin").write_bytes(b"\0\1\2")
    after = _commit_file(git, "README.md", "# changed\n")
    git.run("push", "--quiet", folder="work")

    files = {file["filename"]: file for file in api.get(f"/repos/{work}/compare/{before}...{after}").json()["files"]}
    statuses = {name: file["status"] for name, file in files.items()}
    expected = {
        "new.txt": "renamed",
        "becomes-link": "changed",
        "gone.txt": "removed",
        "image.bin": "modified",
        "README.md": "modified",
    }
    assert expected == statuses
    assert files["new.txt"]["previous_filename"] == "old.txt"
    assert "patch" not in files["image.bin"]
    assert "-diff --git a/x b/x\n-@@ -1 +1 @@" in files["gone.txt"]["patch"]
    assert files["README.md"]["patch"].endswith("+# changed")


def test_three_megabytes_are_pushed_and_cloned_shallow(git: Any, api: httpx.Client, work: str) -> None:
    for number in range(3):
        sha = _commit_file(git, f"big{number}", secrets.token_hex(1 << 19), f"number {number}")
    git.run("push", "--quiet", folder="work")
    git.run("clone", "--quiet", "--depth=1", git.url(work), "shallow")
    assert sha == git.run("rev-parse", "HEAD", folder="shallow")
    assert git.run("rev-list", "--count", "HEAD", folder="shallow") == "1"
    content = api.get(f"/repos/{work}/contents/big2").json()
    assert content["size"] == 1 << 20
    blob = api.get(f"/repos/{work}/git/blobs/{content['sha']}").json()
    assert (blob["size"], blob["encoding"]) == (1 << 20, "base64")


def test_the_first_branch_pushed_is_the_default_branch(
    git: Any,
    api: httpx.Client,
    server: Any,
    new_repository: Callable[..., str],
) -> None:
    empty = new_repository(auto_init=False)
    git.run("init", "--quiet", "--initial-branch=trunk", "work")
    _commit_file(git, "a", "a")
    git.run("push", "--quiet", git.url(empty, server.credentials["token"]), "trunk", folder="work")
    assert api.get(f"/repos/{empty}").json()["default_branch"] == "trunk"


def test_pushing_needs_a_credential_with_write_access(
    git: Any,
    server: Any,
    work: str,
    new_repository: Callable[..., str],
) -> None:
    other = new_repository()
    _commit_file(git, "a", "a")
    read_only = server.installation_token(permissions={"contents": "read"})
    elsewhere = server.installation_token(repositories=[other.split("/")[1]])
    for token in (read_only, elsewhere):
        assert "403" in git.run("push", git.url(work, token), "main", folder="work", fails=True)
    # Without a credential, and with an unknown one, git is asked for a (better) one.
    assert "could not read Username" in git.run("push", git.url(work), "main", folder="work", fails=True)
    assert "Authentication failed" in git.run("push", git.url(work, "ghs_no"), "main", folder="work", fails=True)


def test_a_private_repository_is_cloned_by_those_who_may_see_it(
    git: Any,
    server: Any,
    new_repository: Callable[..., str],
) -> None:
    private, other = new_repository(private=True), new_repository(private=True)
    own = server.installation_token(repositories=[private.split("/")[1]], permissions={"contents": "read"})
    git.run("clone", "--quiet", git.url(private, own), "mine")
    assert "not found" in git.run("clone", git.url(other, own), "other", fails=True)
    assert "could not read Username" in git.run("clone", git.url(private), "nobody", fails=True)
    issues_only = server.installation_token(permissions={"issues": "write"})
    assert "403" in git.run("clone", git.url(private, issues_only), "no-contents", fails=True)


def test_the_refs_of_pull_requests_can_be_fetched_and_not_pushed(
    git: Any,
    api: httpx.Client,
    work: str,
    branch_with_commit: Callable[[str], str],
) -> None:
    sha = branch_with_commit("b")
    api.post(f"/repos/{work}/pulls", json={"title": "t", "head": "b", "base": "main"})
    git.run("fetch", "--quiet", "origin", "pull/1/head", folder="work")
    assert sha == git.run("rev-parse", "FETCH_HEAD", folder="work")
    assert "hidden ref" in git.run("push", "origin", "HEAD:refs/pull/1/head", folder="work", fails=True)


def test_only_git_addresses_are_served_by_git(server: Any, repo: str) -> None:
    for path in ("HEAD", "config", "objects/info/packs", "info/refs", "info/refs?service=git-upload-archive"):
        assert httpx.get(f"{server.url}/{repo}.git/{path}").status_code == 404, path
    assert httpx.post(f"{server.url}/{repo}.git/git-upload-archive").status_code == 404


def test_deleting_the_branch_closes_its_pull_request(
    git: Any,
    api: httpx.Client,
    work: str,
    branch_with_commit: Callable[[str], str],
    receiver: Any,
) -> None:
    branch_with_commit("b")
    api.post(f"/repos/{work}/pulls", json={"title": "t", "head": "b", "base": "main"})
    git.run("push", "--quiet", "origin", ":b", folder="work")
    assert api.get(f"/repos/{work}/pulls/1").json()["state"] == "closed"
    assert receiver.wait_for("push", deleted=True).payload["head_commit"] is None
    assert not receiver.wait_for("pull_request", "closed").payload["pull_request"]["merged"]
    assert api.patch(f"/repos/{work}/pulls/1", json={"state": "open"}).status_code == 422


def test_pushing_a_pull_requests_commits_to_its_base_merges_it(
    git: Any,
    api: httpx.Client,
    work: str,
    branch_with_commit: Callable[[str], str],
    receiver: Any,
) -> None:
    sha = branch_with_commit("b")
    api.post(f"/repos/{work}/pulls", json={"title": "t", "head": "b", "base": "main"})
    git.run("fetch", "--quiet", folder="work")
    git.run("push", "--quiet", "origin", "origin/b:main", folder="work")
    pull = api.get(f"/repos/{work}/pulls/1").json()
    assert (True, sha) == (pull["merged"], pull["merge_commit_sha"])
    for kind in ("issues", "pulls"):
        assert api.patch(f"/repos/{work}/{kind}/1", json={"state": "open"}).status_code == 422
    assert receiver.wait_for("pull_request", "closed").payload["pull_request"]["merged"]


def test_a_conflict_makes_a_pull_request_unmergeable(git: Any, api: httpx.Client, work: str) -> None:
    git.run("checkout", "--quiet", "-b", "b", folder="work")
    _commit_file(git, "README.md", "one\n")
    git.run("push", "--quiet", "origin", "b", folder="work")
    git.run("checkout", "--quiet", "main", folder="work")
    _commit_file(git, "README.md", "two\n")
    git.run("push", "--quiet", "origin", "main", folder="work")
    api.post(f"/repos/{work}/pulls", json={"title": "t", "head": "b", "base": "main"})
    pull = api.get(f"/repos/{work}/pulls/1").json()
    assert (pull["mergeable"], pull["mergeable_state"]) == (False, "dirty")
    assert api.put(f"/repos/{work}/pulls/1/merge", json={}).status_code == 405


def test_a_pull_requests_branch_is_updated_from_its_base_unless_they_conflict(
    git: Any, api: httpx.Client, work: str
) -> None:
    git.run("checkout", "--quiet", "-b", "b", folder="work")
    _commit_file(git, "other.txt", "one\n")
    git.run("push", "--quiet", "origin", "b", folder="work")
    api.post(f"/repos/{work}/pulls", json={"title": "t", "head": "b", "base": "main"})
    update = f"/repos/{work}/pulls/1/update-branch"
    current = api.put(update, json={})
    assert (current.status_code, current.json()["message"]) == (422, "There are no new commits on the base branch.")

    for content in ("one\n", "two\n"):
        git.run("checkout", "--quiet", "main", folder="work")
        _commit_file(git, "README.md", content)
        git.run("push", "--quiet", "origin", "main", folder="work")
        if content == "one\n":
            assert api.put(update, json={"expected_head_sha": "0" * 40}).status_code == 422
            accepted = api.put(update, json={})
            assert (accepted.status_code, accepted.json()["message"]) == (202, "Updating pull request branch.")
            assert api.get(f"/repos/{work}/compare/main...b").json()["behind_by"] == 0
            git.run("fetch", "--quiet", "origin", folder="work")
            git.run("checkout", "--quiet", "-B", "b", "origin/b", folder="work")
            _commit_file(git, "README.md", "three\n")
            git.run("push", "--quiet", "origin", "b", folder="work")
    refused = api.put(update, json={})
    assert (refused.status_code, refused.json()["message"]) == (422, "merge conflict between base and head")


def test_a_squashed_pull_request_is_one_commit_on_its_base(
    api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    branch_with_commit("b")
    main = api.get(f"/repos/{repo}/branches/main").json()["commit"]["sha"]
    api.post(f"/repos/{repo}/pulls", json={"title": "Do it", "body": "because", "head": "b", "base": "main"})
    sha = api.put(f"/repos/{repo}/pulls/1/merge", json={"merge_method": "squash"}).json()["sha"]
    commit = api.get(f"/repos/{repo}/git/commits/{sha}").json()
    assert ([main], "Do it (#1)\n\nbecause") == ([parent["sha"] for parent in commit["parents"]], commit["message"])
