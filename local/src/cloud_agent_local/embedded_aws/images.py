"""Which program each container image runs when tasks are local processes."""

from __future__ import annotations

import sys

# The Dockerfiles' entry points end with the same modules. `local/python` is for tests: its task definition's
# Command is what the interpreter is given; `local/python/<absolute path>` runs that file.
ENTRY_POINTS: dict[str, list[str]] = {
    "claude-cloud-agent/agent:local": [sys.executable, "-m", "cloud_agent_runner"],
    "claude-cloud-agent/proxy:local": [sys.executable, "-m", "cloud_agent_proxy"],
    "local/python": [sys.executable],
}


class ImageNotFoundError(Exception):
    """No program is known for an image; ECS reports it as a CannotPullContainerError."""


def entry_point(image: str) -> list[str]:
    """The argv an image starts with.

    Raises:
        ImageNotFoundError: The image is not in the table.
    """
    repository, _, path = image.partition("python/")
    if repository == "local/" and path:
        return [sys.executable, "-u", f"/{path}"]
    try:
        return list(ENTRY_POINTS[image])
    except KeyError:
        known = ", ".join(sorted(ENTRY_POINTS))
        raise ImageNotFoundError(
            f"pull image manifest has been retried 1 time(s): failed to resolve ref {image}: not found "
            f"(local mode has no registry; it knows {known})"
        ) from None
