"""A framework's dev server, installed and run by the agent's own code."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview.detection import dev_server_plan
from cloud_agent_runner.preview.dev_server import DevServer
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.conformance.frameworks import Framework

CACHE = Path(__file__).parents[2] / ".conformance"
"""What was installed stays here from run to run."""
APPS = Path(__file__).parent / "apps"
PORT = 3000
DOMAIN = "uat.example.test"


@dataclass(frozen=True)
class WorkTree:
    """A framework's application, as a session's agent would have checked it out."""

    framework: Framework

    @property
    def home(self) -> Path:
        return CACHE / self.framework.name / "home"

    @property
    def app(self) -> Path:
        return CACHE / self.framework.name / "app"

    def lay_anew(self) -> None:
        """Put the application back to what the suite says, and keep what is installed."""
        self.home.mkdir(parents=True, exist_ok=True)
        shutil.copytree(APPS / self.framework.folder, self.app, dirs_exist_ok=True)

    def edit(self, old: str, new: str) -> None:
        file = self.app / self.framework.edited
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} should say {old!r} once"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def version(self) -> str:
        return self.framework.version(self.home, self.app)


@dataclass(frozen=True)
class _FrameworksUser(WorkspaceUser):
    """Whoever runs the tests, with what the framework wants in its environment."""

    wanted: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "LANG": "C.UTF-8", **self.wanted}


@contextlib.asynccontextmanager
async def running(work_tree: WorkTree, address: str) -> AsyncIterator[None]:
    """Install what the application needs and keep its dev server running at `address`, port 3000."""
    framework = work_tree.framework
    plan = dev_server_plan(work_tree.app, framework.config)
    user = _FrameworksUser(work_tree.home, None, framework.environment)
    here = ListenAddress(address, address, PORT, DOMAIN)
    server = DevServer(plan, user, work_tree.app, here, {}, notices=Notices())
    await server.install()
    kept = asyncio.create_task(server.keep_running())
    try:
        await server.wait_until_ready(limit_seconds=180)
        yield
    finally:
        kept.cancel()
        await asyncio.wait([kept])
