"""Commits that aren't on GitHub as one file: a Git bundle, which the supervisor makes in its own repository.

It has one commit on top of them, with two parents: the branch as it was on GitHub, and the work. Whoever reads one
takes it for what anybody may have written: Git verifies it and checks each object, and it brings no hook or setting.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.history import History

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

BUNDLE_LIMIT_BYTES = 256 * 1024**2  # contracts/limits.json
_REF = "refs/session/unpublished"
_CHECKED = ("-c", "fetch.fsckObjects=true")
# "git: bundle.c, verify_bundle". What follows are the commits, one a line.
_LACKING = "Repository lacks these prerequisite commits"
_COMMIT = re.compile(r"^error: ([0-9a-f]{40})\b", re.MULTILINE)


class BundleTooLargeError(Exception):
    """The commits are larger than what is kept."""


@dataclass(frozen=True)
class Work:
    """Commits that aren't on GitHub: `head` and what leads there from `base`, which the branch was at on GitHub."""

    base: str
    head: str


async def write_bundle(history: History, work: Work, file: Path, *published: str) -> None:
    """Write the commits of `work` that no commit of `published` has.

    Raises:
        BundleTooLargeError: nothing was written.
        GitError: git failed.
    """
    without = [f"^{commit}" for commit in (work.base, *published)]
    if int(await history.git("rev-list", "--objects", "--disk-usage", work.head, *without)) > BUNDLE_LIMIT_BYTES:
        raise BundleTooLargeError
    tree = await history.git("rev-parse", "--verify", f"{work.head}^{{tree}}")
    kept = await history.commit(tree, [work.base, work.head], "Commits that aren't on GitHub")
    await history.git("update-ref", _REF, kept)
    await history.git("bundle", "create", "--quiet", str(file), _REF, *without)


async def read_bundle(history: History, file: Path, fetch: Callable[[Sequence[str]], Awaitable[None]]) -> Work:
    """Take the commits of a bundle into the repository, and return which they are.

    `fetch` gets the commits that they build on, where those aren't here. The bundle is unpacked beside the repository:
    Git looks at the objects of a fetch, and not at those of a bundle.

    Raises:
        GitError: it isn't such a bundle, or it builds on commits that can't be had.
    """
    try:
        await history.git("bundle", "verify", str(file))
    except GitError as error:
        if _LACKING not in str(error):
            raise
        await fetch(_COMMIT.findall(str(error)))
    beside = History(history.repository.with_name("bundle.git"))
    try:
        await beside.create()
        await beside.borrow(history)
        await beside.git("fetch", "--quiet", "--no-tags", str(file), f"+{_REF}:{_REF}")
        await history.git(*_CHECKED, "fetch", "--quiet", "--no-tags", str(beside.repository), f"+{_REF}:{_REF}")
    finally:
        shutil.rmtree(beside.repository, ignore_errors=True)
    parents = (await history.git("rev-list", "--parents", "--max-count=1", _REF)).split()[1:]
    if len(parents) != 2:  # noqa: PLR2004 - the base and the work
        raise GitError(f"The bundle's commit has {len(parents)} parents.")
    return Work(*parents)
