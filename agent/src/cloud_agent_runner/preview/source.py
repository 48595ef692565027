"""Where a preview comes from: the files of the work tree, the repository's secrets, and the task's own address."""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from cloud_agent_runner.agent_api_connection import AgentApiRefusedError
from cloud_agent_runner.git.command import GitError, workspace_git
from cloud_agent_runner.preview.detection import dev_server_plan
from cloud_agent_runner.preview.dev_server import DevServer
from cloud_agent_runner.preview.env_files import make_env_files, procfile_environment
from cloud_agent_runner.preview.preparation import NO_PREPARATION, Preparation, Step, preparation
from cloud_agent_runner.preview.services.compose_hosts import compose_hosts
from cloud_agent_runner.preview.services.needed import needed_services
from cloud_agent_runner.preview.services.service import Wanted
from cloud_agent_runner.repository.config import NOTHING
from cloud_agent_runner.repository.config_file import RepositoryConfigError, read_repository_config

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from pydantic import SecretStr

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.notices import Notices
    from cloud_agent_runner.preview.listen_address import ListenAddress
    from cloud_agent_runner.preview.plan import DevServerPlan
    from cloud_agent_runner.preview.probe import LocalName
    from cloud_agent_runner.preview.services.services import Services
    from cloud_agent_runner.repository.config import HostHeader, RepositoryConfig
    from cloud_agent_runner.repository.config_file import OtherSettings
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

_ENTRIES_LOOKED_AT = 2_000
_NOT_THE_REPOSITORYS = frozenset({".git", ".venv", "venv", "node_modules", "vendor", "__pycache__"})

# What nobody sees in a dev server's pages, or only in those of one that follows its files anyway.
_NOT_SERVED = re.compile(r"\.(md|rst|adoc)$|(^|/)(LICENSE|\.gitignore)$|^\.github/", re.IGNORECASE)

Fingerprint = frozenset[tuple[str, int, int]]


class PreviewSource:
    """Makes a dev server of what the repository's files say now.

    `otherwise` are the settings where the branch has no file that can be used. `installed` is called after each good
    install.
    """

    def __init__(  # noqa: PLR0913 - what a dev server is made of
        self,
        work_tree: Path,
        user: WorkspaceUser,
        address: ListenAddress,
        services: Services,
        api: AgentApi,
        *,
        otherwise: OtherSettings,
        notices: Notices,
        installed: Callable[[], Awaitable[None]],
    ) -> None:
        self.installed = installed
        self._work_tree = work_tree
        self._user = user
        self._address = address
        self._services = services
        self._api = api
        self._otherwise = otherwise
        self._notices = notices

    def plan(self) -> DevServerPlan:
        """Return how the dev server runs.

        Raises:
            RepositoryConfigError: the repository's file can't be used.
            DevServerNotConfiguredError: the dev server is neither defined nor recognized.
        """
        config = self._config()
        plan = dev_server_plan(self._work_tree, config)
        return replace(plan, prepare=self._preparation(config, plan))

    def environment_files(self) -> str | None:
        """Return the command that makes the `.env` files of which there are only examples."""
        return make_env_files(self._work_tree)

    async def dev_server(self, plan: DevServerPlan) -> DevServer:
        """Return the dev server of `plan`, with the secrets that the repository names. Its services run by then.

        Raises:
            RepositoryConfigError: there is no such secret.
            ServiceFailedError: a service isn't there, or doesn't come up.
        """
        config = self._config()
        names = list(dict.fromkeys(config.env))
        secrets = await self._secrets(names) if names else {}
        for sentence in await self._services.run(self._wanted(config)):
            self._notices.add(sentence)
        return DevServer(
            plan,
            self._user,
            self._work_tree,
            self._address,
            secrets,
            notices=self._notices,
            services={
                **procfile_environment(self._work_tree),
                **compose_hosts(self._work_tree, self._services.host),
                **self._services.environment,
            },
        )

    def host_header(self, name: LocalName) -> HostHeader | LocalName | None:
        """Return what visitors' requests are to call a dev server that takes this name; None where nobody can say."""
        try:
            wanted = self._config().host_header
        except RepositoryConfigError:
            return None
        return wanted if wanted == "public" else name

    def wants_reload(self) -> bool:
        """Say whether the repository's settings have pages reloaded in the browser."""
        try:
            return self._config().reload
        except RepositoryConfigError:
            return False

    def fingerprint(self) -> Fingerprint:
        """Return names, sizes and times of the files in the work tree and in its folders, 2,000 entries at most.

        Install commands and dev servers are made of these; deeper changes are the dev server's own to follow.
        """
        return frozenset(islice(_files(self._work_tree, deeper=1), _ENTRIES_LOOKED_AT))

    async def commit(self) -> str:
        """Return the commit that the work tree is at; nothing where Git doesn't say."""
        return await self._git("rev-parse", "--verify", "HEAD")

    async def has_changed_since(self, commit: str) -> bool:
        """Say whether commits since then, which each turn ends with, have changed more than documentation."""
        names = await self._git("diff", "--name-only", "--no-renames", "-z", commit, "HEAD", "--") if commit else ""
        return any(not _NOT_SERVED.search(name) for name in names.split("\0") if name)

    async def _git(self, *arguments: str) -> str:
        try:
            return await workspace_git(self._user, *arguments, at=self._work_tree)
        except GitError as error:
            logger.warning("changes unknown", extra={"reason": str(error)})
            return ""

    def _config(self) -> RepositoryConfig:
        return read_repository_config(self._work_tree, self._otherwise)

    def _preparation(self, config: RepositoryConfig, plan: DevServerPlan) -> Preparation:
        """Return what the repository's file says of it, else what its files show, if something is installed for it."""
        if config.prepare is not None:
            return Preparation(() if config.prepare == NOTHING else (Step(config.prepare),))
        return preparation(self._work_tree, "\n".join(plan.commands)) if plan.install else NO_PREPARATION

    def _wanted(self, config: RepositoryConfig) -> list[Wanted]:
        """Return the services that the repository's file asks for, else those its files name that are there."""
        found = {wanted.name: wanted for wanted in needed_services(self._work_tree)}
        if config.services is not None:
            return [found.get(name) or Wanted(name) for name in dict.fromkeys(config.services)]
        wanted = [one for one in found.values() if self._services.has(one)]
        if missing := sorted(found.keys() - {one.name for one in wanted}):
            logger.warning("services not there", extra={"services": missing})
        return wanted

    async def _secrets(self, names: list[str]) -> dict[str, SecretStr]:
        try:
            return await self._api.environment(names)
        except AgentApiRefusedError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            raise RepositoryConfigError(error.reason) from error


def _files(folder: Path | str, *, deeper: int) -> Iterator[tuple[str, int, int]]:
    """Yield each file's path, size and time. No link is followed: where it leads is not the repository's."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in islice(entries, _ENTRIES_LOOKED_AT):
            if entry.is_dir(follow_symlinks=False):
                if deeper and entry.name not in _NOT_THE_REPOSITORYS:
                    yield from _files(entry.path, deeper=deeper - 1)
            else:
                state = entry.stat(follow_symlinks=False)
                yield entry.path, state.st_size, state.st_mtime_ns
