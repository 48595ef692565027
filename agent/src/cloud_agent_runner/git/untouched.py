"""Whether anybody has worked in the work tree yet."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cloud_agent_runner.git.command import GitError, workspace_git

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

# It takes no lock that a command of Claude's could find in its way.
_CHANGES = ("--no-optional-locks", "status", "--porcelain", "--ignore-submodules=dirty", "--untracked-files=normal")


async def is_untouched(user: WorkspaceUser, work_tree: Path, commit: str) -> bool:
    """Return whether the work tree is at `commit` and has no other changes but of what's ignored.

    False as well where Git doesn't say.
    """
    try:
        # In this order: what is committed between the two would otherwise look like neither.
        changes = await workspace_git(user, *_CHANGES, at=work_tree)
        return not changes and commit == await workspace_git(user, "rev-parse", "--verify", "HEAD", at=work_tree)
    except (GitError, OSError) as error:
        logger.warning("changes unknown", extra={"reason": str(error)})
        return False
