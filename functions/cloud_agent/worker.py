"""What a Lambda worker keeps from one invocation to the next: all of it in one place, made when first needed.

Lambda calls a worker with one event at a time, so that nobody shares what it keeps.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """One process that Lambda keeps for further invocations: its settings, clients and tokens.

    A new worker knows nothing of the one before. Replacing `current` is all that it takes to have one.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], Any] = {}

    def keep(self, make: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - whatever `make` takes
        """Return what `make` made of these arguments in this worker, made now if it hasn't been.

        A `make` that raises is called again next time.
        """
        key = (make, *arguments)
        if key not in self._kept:
            self._kept[key] = make(*arguments)
        return cast("T", self._kept[key])


current = Worker()  # this process


def once_per_worker(make: Callable[P, T]) -> Callable[P, T]:
    """Make the function's result once in a worker for each set of (positional, hashable) arguments."""

    @wraps(make)
    def kept(*arguments: P.args, **options: P.kwargs) -> T:
        return current.keep(make, *arguments, **options)

    return kept
