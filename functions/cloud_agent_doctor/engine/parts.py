"""A check of several parts: one that cannot be looked at keeps nobody from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import CannotLookError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_agent_doctor.engine.findings import Finding


def all_parts(*parts: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings of every part.

    Raises:
        CannotLookError: at the end, for all parts that could not be looked at.
    """
    unseen: list[CannotLookError] = []
    for part in parts:
        try:
            yield from part
        except CannotLookError as error:
            unseen.append(error)
    if unseen:
        permission = next((error.permission for error in unseen if error.permission), "")
        raise CannotLookError("; ".join(dict.fromkeys(str(error) for error in unseen)), permission)
