"""Waiting for what another process does: with a deadline, and no longer than it takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_PAUSE_SECONDS = 0.05


def eventually(probe: Callable[[], T | None], timeout: float = 60) -> T:
    """Return the first truthy result of `probe`.

    Raises:
        AssertionError: There is none within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        if result := probe():
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {timeout} s: {probe}")
        time.sleep(_PAUSE_SECONDS)
