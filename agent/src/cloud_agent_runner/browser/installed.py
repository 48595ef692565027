"""The browser of this machine, where there is one: Chromium, and Playwright, which drives it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloud_agent_runner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent_runner.preview.listen_address import ListenAddress
    from cloud_agent_runner.workspace.user import WorkspaceUser

# Debian's names: the first has neither windows nor what it takes to draw them, and is what the image has.
_CHROMIUM = ("chromium-headless-shell", "chromium")
_FLAGS = (
    # Fargate gives a container 64 MB of shared memory, and no way to ask for more.
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Nothing but what a page asks for is worth a connection.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PACKAGES = Path(cloud_agent_runner.__file__).parent.parent / "browser" / "node_modules"


@dataclass(frozen=True)
class Browser:
    """A Chromium for the preview at `preview_url`, always started anew with an empty profile.

    `reaches_only` are the hosts that it can connect to; None where the container's own network decides. `environment`
    are the variables of its processes.
    """

    chromium: Path
    node: Path
    packages: Path
    preview_url: str
    reaches_only: tuple[str, ...] | None
    environment: Mapping[str, str]

    def preview_at(self, port: int | None) -> str:
        """Return the preview's address where it's at another port for the moment; None where it isn't."""
        return f"{self.preview_url.rpartition(':')[0]}:{port}" if port else self.preview_url

    @property
    def launch_options(self) -> dict[str, Any]:
        """How Playwright launches it. Chromium's own sandbox needs user namespaces, which Fargate doesn't allow."""
        return {
            "headless": True,
            "executablePath": str(self.chromium),
            "chromiumSandbox": False,
            "args": [*_FLAGS, *self._confinement()],
            "env": dict(self.environment),
        }

    def _confinement(self) -> list[str]:
        """Return the flags by which every other host, by name or by address, is one that doesn't exist."""
        if self.reaches_only is None:
            return []
        excluded = "".join(f", EXCLUDE {host}" for host in self.reaches_only)
        return ["--no-proxy-server", f"--host-resolver-rules=MAP * ~NOTFOUND{excluded}"]


def find_browser(user: WorkspaceUser, address: ListenAddress) -> Browser | None:
    """Return the browser that is installed here for the preview at `address`; None where a part of it is missing.

    Programs are looked up where the supervisor finds its own, never where the repository can put some. In a container
    the browser reaches what every command reaches. Elsewhere it's on a person's machine, in that person's network: it
    reaches the session's own address there.
    """
    chromium = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    node = shutil.which("node")
    if chromium is None or node is None or not PACKAGES.is_dir():
        return None
    reaches_only = (address.own_host, "localhost") if user.owner is None else None
    # Chromium doesn't start where the path of a socket of its own has more than 108 bytes, as in a session's folder.
    environment = user.environment() | {"TMPDIR": "/tmp"}  # noqa: S108 - it makes a folder of its own there
    return Browser(Path(chromium), Path(node), PACKAGES, address.browser_url, reaches_only, environment)
