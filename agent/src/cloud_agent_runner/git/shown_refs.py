"""The branches and tags of GitHub that Claude sees in the work tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent_runner.git.branch import GitHubBranch
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.work_tree import WorkTree


class ShownRefs:
    """They're those that the supervisor has fetched; the default branch only where its name is known."""

    def __init__(self, branch: GitHubBranch, history: History, tree: WorkTree) -> None:
        self._branch = branch
        self._history = history
        self._tree = tree

    async def show(self, theirs: str) -> None:
        """Show the session's branch at `theirs`, what it's for, the default branch and the tags as fetched last.

        Raises:
            GitError: git failed.
        """
        refs = {f"refs/remotes/github/{self._branch.name}": theirs}
        if self._branch.default_name:
            refs[f"refs/remotes/github/{self._branch.default_name}"] = await self._branch.default()
        if self._branch.base_name:
            refs[f"refs/remotes/github/{self._branch.base_name}"] = await self._branch.base()
        await self._tree.set_refs(refs | await self._history.tags())
