"""What a mode of access consists of, and the gate of those that ask nobody but the visitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cloud_agent_proxy.access.public import PublicGate

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from cloud_agent_proxy.access.gate import Gate
    from cloud_agent_proxy.access.keys import AccessKeys
    from cloud_agent_proxy.index.visitors import Visitors
    from cloud_agent_proxy.settings import Settings


@dataclass(frozen=True)
class AccessMode:
    """Who may see sessions, and by which way they come in."""

    gate: Gate
    routes: tuple[Route, ...] = ()
    sign_in: Callable[[Request], Response] | None = None
    """Sends a visitor without access to where they sign in, to come back to the session's own page."""
    writing_url: Callable[[str, str], str] | None = None
    """Where visitors write to a session, by its id and the origin at which they are."""
    visitors: Visitors | None = None
    """Who may see the index, and what of it; None where there is no index."""


def gate_of(settings: Settings) -> Gate:
    """Return the gate of a mode that asks nobody but the visitor."""
    if settings.uat_access == "public":
        return PublicGate()
    # The links' tokens take JSON Web Tokens, which a public proxy starts without.
    from cloud_agent_proxy.access.link import LinkGate  # noqa: PLC0415
    from cloud_agent_proxy.access.tokens import Tokens  # noqa: PLC0415

    return LinkGate(Tokens(cast("AccessKeys", settings.uat_access_keys)))
