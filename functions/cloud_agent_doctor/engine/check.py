"""What a check is: a question about one hop, answered by findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cloud_agent_doctor.engine.examination import Examination
    from cloud_agent_doctor.engine.findings import Finding


class CannotLookError(Exception):
    """What a check needs to see could not be seen; whatever it found so far still counts."""

    def __init__(self, reason: str, permission: str = "", code: str = "") -> None:
        super().__init__(reason)
        self.permission = permission
        """The IAM action that is missing, if that is why."""
        self.code = code
        """AWS's error code, if AWS answered."""


class NotApplicableError(Exception):
    """The hop is not there, and need not be: says why."""


@dataclass(frozen=True)
class Check:
    """One hop's examination. The docstring of the module that declares it explains it to people."""

    name: str
    question: str
    """What is asked, in a sentence that ends with a question mark."""
    examine: Callable[[Examination], Iterable[Finding]]
    """Yields what is wrong.

    Raises:
        CannotLookError: something needed could not be seen.
        NotApplicableError: there is nothing to be judged.
    """
    actions: tuple[str, ...]
    """Every IAM action that it takes."""
    behind: tuple[str, ...] = ()
    """Checks that make this one moot when they are broken."""
    only_new: bool = False
    """Leave out findings about what an earlier finding already speaks of."""
