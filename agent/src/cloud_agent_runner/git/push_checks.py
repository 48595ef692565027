"""What must not get to GitHub, whatever it would let through: secrets, lost commits, workflows unless allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.git.lfs.pointers import whole_files
from cloud_agent_runner.git.lfs.server import LfsError
from cloud_agent_runner.git.publish_errors import PublishFailedError
from cloud_agent_runner.git.refused_push import lfs_refused, lost_commits_refused, workflow_refused
from cloud_agent_runner.repository.config import CONFIG_PATH, RepositoryConfig
from cloud_agent_runner.repository.config_file import RepositoryConfigError, parse_repository_config
from cloud_agent_runner.secret_scan.refusal import not_allowed, secrets_refused
from cloud_agent_runner.secret_scan.scan import SecretScanError, scan_for_secrets

if TYPE_CHECKING:
    from cloud_agent_runner.agent_api_messages import GitToken
    from cloud_agent_runner.git.branch import GitHubBranch
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.lfs.uploads import LfsUploads
    from cloud_agent_runner.git.submodules import Submodules
    from cloud_agent_runner.git.work_tree import WorkTree

_WORKFLOWS = ".github/workflows"


class PushChecks:
    """The checks of commits that are about to become the branch on GitHub."""

    def __init__(  # noqa: PLR0913 - what they look at
        self,
        branch: GitHubBranch,
        history: History,
        tree: WorkTree,
        uploads: LfsUploads,
        submodules: Submodules,
        *,
        allow_workflow_changes: bool,
    ) -> None:
        self._branch = branch
        self._history = history
        self._tree = tree
        self._uploads = uploads
        self._submodules = submodules
        self._allow_workflow_changes = allow_workflow_changes

    async def check_and_store(self, token: GitToken, theirs: str, head: str) -> None:
        """Check what `head` would bring to the branch, which is at `theirs` on GitHub; store what it has in Git LFS.

        Raises:
            PublishRefusedError, PublishFailedError: it must not be pushed.
        """
        try:
            await self._refuse_lost_commits(theirs, head)
            await self._refuse_whole_files(theirs, head)
            await self._uploads.collect(token, head, theirs, *await self._branch.beside())
            if not self._allow_workflow_changes:
                await self._refuse_workflow_changes(token, theirs, head)
            await self._refuse_secrets(token, theirs, head)
            await self._uploads.send(token)
        except LfsError as error:
            raise PublishFailedError(
                f"Couldn't push to {self._branch.name}: its files for Git LFS couldn't be stored. {error} The commits "
                "are kept, and the next turn tries again."
            ) from error
        finally:
            self._uploads.discard()

    async def _refuse_lost_commits(self, theirs: str, head: str) -> None:
        """Refuse what would point to commits of other repositories that are in this container alone."""
        if paths := await self._submodules.lost(head, theirs, *await self._branch.beside()):
            raise lost_commits_refused(self._branch.name, paths, theirs)

    async def _refuse_whole_files(self, theirs: str, head: str) -> None:
        """Refuse a file where everybody else has a pointer of Git LFS, unless the default branch has it so."""
        whole = await whole_files(self._history, head, theirs, await self._branch.default())
        if paths := await self._tree.assigned_to_lfs(whole):
            raise lfs_refused(self._branch.name, paths, theirs)

    async def _refuse_workflow_changes(self, token: GitToken, theirs: str, head: str) -> None:
        """Refuse what GitHub lets through where the token may change workflows, as a personal one may.

        The default branch's own workflows may be merged: they run anyway.
        """
        changed = await self._changed_workflows(theirs, head)
        if changed:
            changed &= await self._changed_workflows(await self._branch.fetch_default(token), head)
        if changed:
            raise workflow_refused(self._branch.name, min(changed), theirs)

    async def _changed_workflows(self, base: str, head: str) -> set[str]:
        names = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head, "--", _WORKFLOWS)
        return set(filter(None, (await self._history.git(*names)).split("\0")))

    async def _refuse_secrets(self, token: GitToken, theirs: str, head: str) -> None:
        try:
            found = await scan_for_secrets(self._history.repository, theirs, head, *await self._branch.beside())
            if found:
                found = not_allowed(found, await self._allowed_paths(token))
        except (SecretScanError, RepositoryConfigError) as error:
            raise PublishFailedError(f"Couldn't push to {self._branch.name}. The commits are kept. {error}") from error
        if found:
            raise secrets_refused(found, self._branch.name, theirs)

    async def _allowed_paths(self, token: GitToken) -> list[str]:
        """Return where the default branch allows what looks like secrets. What Claude can write allows nothing."""
        await self._branch.fetch_default(token)
        config = await self.default_branch_config()
        return config.secret_scan_ignore if config else []

    async def default_branch_config(self) -> RepositoryConfig | None:
        """Return the settings that the default branch has, as it was fetched last; None if it has no file of them.

        Raises:
            RepositoryConfigError: they can't be used.
        """
        default = await self._branch.default()
        if not await self._history.git("ls-tree", "--name-only", default, "--", CONFIG_PATH):
            return None
        content = await self._history.git("cat-file", "blob", f"{default}:{CONFIG_PATH}")
        return parse_repository_config(content.encode())
