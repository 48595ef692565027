"""Which program each container image runs when tasks are local processes."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# There is always an image of this machine's Python: its task definition's Command is what the interpreter is given.
# With the absolute path of a program behind it, `local/python/srv/server.py`, it runs that, whatever its tag.
_PYTHON = "local/python"
# An image may be named as one of the account's registry. What is there is not looked at.
_REGISTRY = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")


class ImageNotFoundError(Exception):
    """No program is known for an image; ECS reports it as a CannotPullContainerError."""


class Images:
    """Every image there is, and the program and arguments that each starts with."""

    def __init__(self, entry_points: Mapping[str, Sequence[str]]) -> None:
        self._entry_points = {_PYTHON: [sys.executable], **entry_points}

    def entry_point(self, image: str) -> list[str]:
        """Return the program and arguments an image starts with.

        Raises:
            ImageNotFoundError: There is no such image.
        """
        name = _REGISTRY.sub("", image, count=1)
        program, _, path = name.partition(f"{_PYTHON}/")
        if path and not program:
            return [sys.executable, "-u", f"/{path.partition(':')[0]}"]
        try:
            return list(self._entry_points[name])
        except KeyError:
            known = ", ".join(sorted(self._entry_points))
            raise ImageNotFoundError(
                f"pull image manifest has been retried 1 time(s): failed to resolve ref {image}: not found "
                f"(the embedded AWS has no registry; --image gave it {known})"
            ) from None
