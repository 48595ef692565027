"""What a fault beside the incident's is: how a hand sets it up, and which check is to find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.infrastructure.world import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infrastructure.world import World


@dataclass(frozen=True)
class FurtherFault:
    """One fault of one hop."""

    set_up: Callable[[World], None]
    check: str
    """The check that is to find it."""
    modes: tuple[Mode, ...] = (Mode.OWN,)
    """Where it is tried: behind the load balancer both modes are the same."""

    @property
    def name(self) -> str:
        """What was done, in the words of the function that does it."""
        return self.set_up.__name__
