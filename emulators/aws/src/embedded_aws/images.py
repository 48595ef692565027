"""Which program each container image runs when tasks are local processes."""

from __future__ import annotations

import re
import sys

# The Dockerfiles' entry points end with the same flags and modules. -P and -s keep the working directory and HOME's
# site-packages off sys.path: what a repository leaves there must not run in the supervisor.
# `local/python` is for tests: its task definition's Command is what the interpreter is given;
# `local/python/<absolute path>` runs that file, whatever its tag.
ENTRY_POINTS: dict[str, list[str]] = {
    "claude-cloud-agent/agent:local": [sys.executable, "-P", "-s", "-m", "cloud_agent_runner"],
    "claude-cloud-agent/proxy:local": [sys.executable, "-P", "-s", "-m", "cloud_agent_proxy"],
    "local/python": [sys.executable],
}


# An image may be named as one of the account's registry. What is there is not looked at.
_REGISTRY = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")


class ImageNotFoundError(Exception):
    """No program is known for an image; ECS reports it as a CannotPullContainerError."""


def entry_point(image: str) -> list[str]:
    """Return the argv an image starts with.

    Raises:
        ImageNotFoundError: The image is not in the table.
    """
    name = _REGISTRY.sub("", image, count=1)
    repository, _, path = name.partition("python/")
    if repository == "local/" and path:
        return [sys.executable, "-u", f"/{path.partition(':')[0]}"]
    try:
        return list(ENTRY_POINTS[name])
    except KeyError:
        known = ", ".join(sorted(ENTRY_POINTS))
        raise ImageNotFoundError(
            f"pull image manifest has been retried 1 time(s): failed to resolve ref {image}: not found "
            f"(local mode has no registry; it knows {known})"
        ) from None
