"""What is told of a branch's commits: each once, with its lines, and what the branch changes in all."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest

from cloud_agent_runner.git.changes import Diff, commits_between, difference

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=tmp_path, check=True)

    git("init", "--quiet", "--initial-branch", "main")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    git("checkout", "--quiet", "-b", "claude/42")
    (tmp_path / "a.txt").write_text("1\n2\n3\n")
    (tmp_path / "b.bin").write_bytes(b"\0\1")
    git("add", ".")
    git("commit", "--quiet", "--message", "Add\ttabs: ü")
    (tmp_path / "a.txt").write_text("1\n3\n4\n5\n")
    git("commit", "--quiet", "--all", "--message", "Change it\n\nBecause.")
    git("commit", "--quiet", "--allow-empty", "--message", "Nothing")
    return tmp_path


async def test_commits_are_told_in_their_order_with_their_lines(repository: Path) -> None:
    async def git(*arguments: str) -> str:
        return await asyncio.to_thread(subprocess.check_output, ["git", *arguments], cwd=repository, text=True)

    commits = await commits_between(git, "main", "claude/42")

    assert [(one.subject, one.additions, one.deletions) for one in commits] == [
        ("Add\ttabs: ü", 3, 0),
        ("Change it", 2, 1),
        ("Nothing", 0, 0),
    ]
    assert {len(one.sha) for one in commits} == {40}
    assert await commits_between(git, "claude/42", "claude/42") == []
    assert await difference(git, "main", "claude/42") == Diff(files=2, additions=4, deletions=0)
