"""UAT_ACCESS, put into effect: the gate of each mode, and the addresses of its own that it has."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from cloud_agent_proxy.access.mode import AccessMode, gate_of
from cloud_agent_proxy.index.visitors import visitors_at

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.settings import Settings
    from cloud_agent_proxy.writing.renderer import WritingRenderer


def access_mode(
    settings: Settings,
    address: IPv4Address,
    directory: SessionDirectory,
    renderer: PageRenderer,
    writing_renderer: WritingRenderer,
) -> contextlib.AbstractAsyncContextManager[AccessMode]:
    """Open the mode that the settings name, of a proxy at this address.

    Visitors sign in with GitHub to be let in by mode `github`, and in each mode to write and to see the index, where
    the settings have the App's credentials.
    """
    if settings.uat_access != "github" and settings.uat_sign_in is None:
        return contextlib.nullcontext(AccessMode(gate_of(settings), visitors=visitors_at(address)))
    # Signing in takes JSON Web Tokens, sealed cookies and what asks GitHub, which a proxy without it starts without.
    from cloud_agent_proxy.sign_in_mode import sign_in_mode  # noqa: PLC0415

    return sign_in_mode(settings, address, directory, renderer, writing_renderer)
