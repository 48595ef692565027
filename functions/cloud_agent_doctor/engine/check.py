"""What a check is: a question about one hop, answered by findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.errors import DataUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.findings import Finding


@dataclass(frozen=True)
class Check:
    """One hop's check. The docstring of the module that declares it is what `--explain` prints."""

    name: str
    question: str
    """One sentence that ends with a question mark."""
    run: Callable[[CheckContext], Iterable[Finding]]
    """Yields what's wrong.

    Raises:
        DataUnavailableError: something it needs could not be read.
        NotApplicableError: there's nothing to check.
    """
    actions: tuple[str, ...]
    """Every IAM action it takes."""
    depends_on: tuple[str, ...] = ()
    """Skipped while one of these checks has findings."""
    suppress_repeats: bool = False
    """Suppress findings about resources that an earlier finding already covers."""
    only_warns: bool = False
    """What it finds breaks nothing: warnings, for which no alarm fires."""


def combine(*parts: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings of every part of a check: a part that can't be read doesn't stop the others.

    Raises:
        DataUnavailableError: at the end, for all parts that could not be read.
    """
    unavailable: list[DataUnavailableError] = []
    for part in parts:
        try:
            yield from part
        except DataUnavailableError as error:
            unavailable.append(error)
    if unavailable:
        permission = next((error.permission for error in unavailable if error.permission), "")
        raise DataUnavailableError("; ".join(dict.fromkeys(str(error) for error in unavailable)), permission)
