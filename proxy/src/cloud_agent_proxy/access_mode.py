"""UAT_ACCESS, put into effect: the gate of each mode, and the addresses of its own that it has."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cloud_agent_proxy.access.public import PublicGate
from cloud_agent_proxy.index.visitors import Everybody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from ipaddress import IPv4Address

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from cloud_agent_proxy.access.gate import Gate
    from cloud_agent_proxy.access.keys import AccessKeys
    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.index.visitors import Visitors
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.settings import Settings
    from cloud_agent_proxy.writing.renderer import WritingRenderer


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


def visitors_at(address: IPv4Address) -> Visitors | None:
    """Return who may see the index without signing in: who is on the proxy's own machine, whose sessions it has."""
    return Everybody() if address.is_loopback else None


@contextlib.asynccontextmanager
async def access_mode(
    settings: Settings,
    address: IPv4Address,
    directory: SessionDirectory,
    renderer: PageRenderer,
    writing_renderer: WritingRenderer,
) -> AsyncIterator[AccessMode]:
    """Open the mode that the settings name, of a proxy at this address.

    Visitors sign in with GitHub to be let in by mode `github`, and in each mode to write and to see the index, where
    the settings have the App's credentials.
    """
    if settings.uat_access != "github" and settings.uat_sign_in is None:
        yield AccessMode(gate_of(settings), visitors=visitors_at(address))
        return
    # Signing in takes JSON Web Tokens, sealed cookies and what asks GitHub, which a proxy without it starts without.
    from cloud_agent_proxy.sign_in_mode import sign_in_mode  # noqa: PLC0415

    async with sign_in_mode(settings, address, directory, renderer, writing_renderer) as mode:
        yield mode


def gate_of(settings: Settings) -> Gate:
    """Return the gate of a mode that asks nobody but the visitor."""
    if settings.uat_access == "public":
        return PublicGate()
    from cloud_agent_proxy.access.link import LinkGate  # noqa: PLC0415 - as above, for the links' tokens
    from cloud_agent_proxy.access.tokens import Tokens  # noqa: PLC0415

    return LinkGate(Tokens(cast("AccessKeys", settings.uat_access_keys)))
