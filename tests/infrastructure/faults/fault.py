"""A fault: how it's injected, and the check that must find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.infrastructure.world import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infrastructure.world import World


@dataclass(frozen=True)
class Fault:
    """One fault of one hop."""

    set_up: Callable[[World], None]
    check: str
    """The check that must find it."""
    modes: tuple[Mode, ...] = (Mode.OWN,)
    """The modes to try it in: behind the load balancer both are the same."""

    @property
    def name(self) -> str:
        """What was done: the name of the function that does it."""
        return self.set_up.__name__
