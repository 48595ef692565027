"""Which file has a session's settings: its own branch's, or the default branch's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from cloud_agent_runner.repository.config import CONFIG_PATH, RepositoryConfig
from cloud_agent_runner.repository.config_file import (
    DefaultBranchConfigError,
    OtherSettings,
    RepositoryConfigError,
    read_repository_config,
)
from cloud_agent_runner.repository.file import has_repository_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_runner.git.workspace import GitWorkspace

T = TypeVar("T")


@dataclass(frozen=True)
class SessionSettings:
    """The settings that a session begins with, and those that count `otherwise` while its branch has none to be used.

    `branch` is whose file they're from, empty for the default branch. `notice` is for people: what wasn't used.
    """

    config: RepositoryConfig
    branch: str = ""
    otherwise: OtherSettings = field(default_factory=OtherSettings)
    notice: str = ""

    def checked(self, check: Callable[[RepositoryConfig], T]) -> T:
        """Return what `check` makes of the settings.

        Raises:
            RepositoryConfigError: it refuses them; the text names the branch.
        """
        try:
            return check(self.config)
        except RepositoryConfigError as error:
            raise _on(self.branch, error) from error


async def session_settings(workspace: GitWorkspace, branch: str) -> SessionSettings:
    """Return the settings of the session's branch; of the default branch if it has no file, or one with faults.

    So a fault is fixed on either branch: the session's may long have been made from what the default branch was.

    Raises:
        RepositoryConfigError: the session's branch has a file with faults, and the default branch none to be used.
        DefaultBranchConfigError: the default branch's file has faults, and the session's branch no file.
    """
    try:
        config = read_repository_config(workspace.work_tree)
    except RepositoryConfigError as error:
        default = await _usable_default(workspace)
        if default is None:
            raise _on(branch, error) from error
        faults, _, _ = str(error).partition("\nFor example:")
        notice = f"This session uses the default branch's settings, since those of {branch} can't be used: {faults}"
        return SessionSettings(default, otherwise=OtherSettings(default, str(error)), notice=notice)
    if has_repository_file(workspace.work_tree, CONFIG_PATH):
        return SessionSettings(config, branch)
    default = await workspace.default_branch_config() or RepositoryConfig()
    return SessionSettings(default, otherwise=OtherSettings(default))


async def _usable_default(workspace: GitWorkspace) -> RepositoryConfig | None:
    try:
        return await workspace.default_branch_config()
    except DefaultBranchConfigError:
        return None


def _on(branch: str, error: RepositoryConfigError) -> RepositoryConfigError:
    return RepositoryConfigError(f"On the branch {branch}: {error}") if branch else DefaultBranchConfigError(error)
