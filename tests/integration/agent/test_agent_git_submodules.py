"""Submodules that anybody may read are there; the others are named."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.kit.lfs_branch import LfsBranch, needs_git_lfs

from cloud_agent_runner.git import supplements
from cloud_agent_runner.git.left_out import WhyNot
from cloud_agent_runner.git.publish_errors import PublishRefusedError
from cloud_agent_runner.git.submodules import address_of
from cloud_agent_runner.git.update import NOTHING_NEW
from local_github.testing import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GITHUB = "https://github.com/acme/lunch.git"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("github")) as running:
        yield running


@pytest.fixture
def branch(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> LfsBranch:
    monkeypatch.setattr(supplements, "_HEAD_START_SECONDS", 60)
    return LfsBranch(tmp_path, server)


def other_repository(branch: LfsBranch, server: Server, *, private: bool) -> tuple[str, str]:
    """Return name and commit of another repository of the same owner."""
    name = f"engine-{branch.name}-{'private' if private else 'public'}"
    with server.client(server.credentials["token"]) as api:
        api.post("/orgs/acme/repos", json={"name": name, "private": private, "auto_init": True}).raise_for_status()
        return name, str(api.get(f"/repos/acme/{name}/git/ref/heads/main").json()["object"]["sha"])


def add(branch: LfsBranch, path: str, url: str, commit: str) -> None:
    """Have the person add a submodule, as `git submodule add` does."""
    for setting, value in (("path", path), ("url", url)):
        branch.git("config", "--file", ".gitmodules", f"submodule.{path}.{setting}", value)
    branch.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    (branch.person / path).mkdir(parents=True, exist_ok=True)
    branch.git("add", ".gitmodules")
    branch.git("commit", "--quiet", "--message", f"add {path}")
    branch.git("push", "--quiet", "origin", "HEAD:claude/42")


@needs_git_lfs
async def test_a_public_one_is_there_and_a_private_one_is_named(branch: LfsBranch, server: Server) -> None:
    public, commit = other_repository(branch, server, private=False)
    private, other = other_repository(branch, server, private=True)
    add(branch, "libs/engine", f"../{public}.git", commit)
    add(branch, "libs/secret", f"{server.url}/acme/{private}.git", other)
    session = await branch.clone()
    engine = session.work_tree / "libs" / "engine"
    assert (engine / "README.md").exists()
    assert branch.git("rev-parse", "HEAD", at=engine) == commit
    assert branch.git("status", "--porcelain", at=session.work_tree) == ""
    assert session.missing().for_people == f"(This session doesn't have submodules: `libs/secret` ({WhyNot.SIGN_IN}).)"
    assert session.missing() == NOTHING_NEW

    (engine / "built.o").write_text("x\n")
    (session.work_tree / "a.txt").write_text("a\n")
    assert (await session.publish()).head_sha
    assert branch.git("diff", "--name-only", "HEAD~1", "HEAD", at=session.work_tree) == "a.txt"


@needs_git_lfs
async def test_an_install_command_can_fetch_a_private_one_with_a_secret(branch: LfsBranch, server: Server) -> None:
    private, commit = other_repository(branch, server, private=True)
    add(branch, "libs/secret", f"../{private}.git", commit)
    session = await branch.clone()
    assert "`libs/secret`" in session.missing().for_people
    instead = f"url.{server.url.replace('://', '://x-access-token:$ENGINE_TOKEN@')}/.insteadOf={server.url}/"
    install = f'git -c "{instead}" submodule update --init libs/secret'  # as docs/sessions.md has it
    token = {**os.environ, "ENGINE_TOKEN": server.credentials["token"]}
    await asyncio.to_thread(subprocess.run, ["/bin/sh", "-c", install], cwd=session.work_tree, env=token, check=True)
    assert (session.work_tree / "libs/secret/README.md").exists()
    (session.work_tree / "a.txt").write_text("a\n")
    assert (await session.publish()).head_sha
    assert session.missing() == NOTHING_NEW
    kept = [file for file in (session.work_tree / ".git").rglob("*") if file.is_file()]
    assert not [file for file in kept if server.credentials["token"].encode() in file.read_bytes()]


@needs_git_lfs
async def test_each_one_that_is_missing_has_its_reason(branch: LfsBranch, server: Server) -> None:
    public, _ = other_repository(branch, server, private=False)
    add(branch, "gone", f"../{public}.git", "12" * 20)
    add(branch, "elsewhere", "https://127.0.0.1:9/engine.git", "12" * 20)
    add(branch, "ssh", "git@gitlab.com:acme/engine.git", "12" * 20)
    branch.git("update-index", "--add", "--cacheinfo", f"160000,{'12' * 20},unnamed")
    branch.git("commit", "--quiet", "--message", "one that .gitmodules doesn't name")
    branch.git("push", "--quiet", "origin", "HEAD:claude/42")
    session = await branch.clone()
    assert session.missing().for_people == (
        "(This session doesn't have submodules: `unnamed` (not in `.gitmodules`); `ssh` (its address isn't for HTTPS); "
        "`gone` (its repository doesn't have the commit); `elsewhere` (its repository couldn't be reached).)"
    )


@needs_git_lfs
async def test_a_commit_of_a_submodule_is_pushed_once_its_own_remote_has_it(branch: LfsBranch, server: Server) -> None:
    public, commit = other_repository(branch, server, private=False)
    add(branch, "libs/engine", f"../{public}.git", commit)
    session = await branch.clone()
    engine, before = session.work_tree / "libs" / "engine", branch.git("rev-parse", "claude/42", at=branch.bare)
    (engine / "README.md").write_text("faster\n")
    branch.git("commit", "--quiet", "--all", "--message", "Make it faster", at=engine)

    with pytest.raises(PublishRefusedError, match="`libs/engine`") as refused:
        await session.publish()

    assert "put it back to the commit that it was at" in refused.value.request
    assert branch.git("rev-parse", "claude/42", at=branch.bare) == before
    branch.git("push", "--quiet", str(branch.bare.with_name(f"{public}.git")), "HEAD:main", at=engine)  # as who may
    head = (await session.publish()).head_sha or ""
    assert head == branch.git("rev-parse", "claude/42", at=branch.bare) != before
    own = branch.git("rev-parse", "HEAD", at=engine)
    assert own != commit
    assert own in branch.git("ls-tree", head, "libs/engine", at=session.work_tree)


@needs_git_lfs
async def test_neither_files_nor_programs_are_fetched_from(branch: LfsBranch, server: Server, tmp_path: Path) -> None:
    _, commit = other_repository(branch, server, private=False)
    branch.git("clone", "--quiet", "--bare", str(branch.bare), str(tmp_path / "local.git"))
    add(branch, "local", f"file://{tmp_path}/local.git", commit)
    add(branch, "path", str(tmp_path / "local.git"), commit)
    add(branch, "program", f"ext::sh -c touch% {tmp_path}/ran", commit)
    session = await branch.clone()
    assert "`local`, `path`, `program` (its address isn't for HTTPS)" in session.missing().for_people
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("../engine.git", "https://github.com/acme/engine.git"),
        ("./engine", "https://github.com/acme/lunch.git/engine"),
        ("../../other/engine", "https://github.com/other/engine"),
        ("git@github.com:acme/engine.git", "https://github.com/acme/engine.git"),
        ("ssh://git@github.com/acme/engine.git", "https://github.com/acme/engine.git"),
        ("https://gitlab.com/acme/engine.git", "https://gitlab.com/acme/engine.git"),
        ("git@gitlab.com:acme/engine.git", ""),
        ("https://user:password@gitlab.com/acme/engine.git", ""),
        ("http://gitlab.com/acme/engine.git", ""),
        ("http://github.com/acme/engine.git", ""),
        ("git://github.com/acme/engine.git", ""),
        ("ext::sh -c x", ""),
        ("-u", ""),
        ("https://[x/engine.git", ""),
        ("/srv/engine.git", ""),
        ("../../../../../srv", "https://github.com/srv"),
        ("", ""),
    ],
)
def test_only_https_leads_to_one(url: str, address: str) -> None:
    assert address_of(url, GITHUB) == address
