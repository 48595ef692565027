"""What every check is given: the stack, and its ways to look at the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_doctor.engine.aws import Aws
    from cloud_agent_doctor.engine.stack import Stack
    from cloud_agent_doctor.probe import SessionProbe


@dataclass(frozen=True)
class CheckContext:
    """One run's view of the world."""

    aws: Aws
    stack: Stack
    resolve: Callable[[str], frozenset[str]]
    """The IPv4 addresses a visitor's resolver returns for a host name; empty if there are none."""
    probe_session: Callable[[str, str], SessionProbe]
    """What the proxy says about the session at a URL; the second argument is its entry link, where one is needed."""
    session_id: str | None = None
    """A session to check as well; None checks the stack alone."""
