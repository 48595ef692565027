"""UAT_ACCESS, put into effect: the gate of each mode, and the addresses of its own that it has."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cloud_agent_proxy.access.github import GitHubGate
from cloud_agent_proxy.access.link import LinkGate
from cloud_agent_proxy.access.public import PublicGate
from cloud_agent_proxy.access.tokens import Tokens
from cloud_agent_proxy.index.visitors import Everybody, GitHubVisitors
from cloud_agent_proxy.sign_in.github import GitHub
from cloud_agent_proxy.sign_in.github_sign_in import GitHubSignIn
from cloud_agent_proxy.sign_in_paths import CallbackPath, SignInPaths
from cloud_agent_proxy.writing.paths import WritingPaths
from cloud_agent_proxy.writing.writers import Writers

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

logger = logging.getLogger(__name__)


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
    admits_by_github = settings.uat_access == "github"
    if not admits_by_github and settings.uat_sign_in is None:
        yield AccessMode(_gate(settings), visitors=visitors_at(address))
        return
    keys = cast("AccessKeys", settings.uat_access_keys)  # without them there are no such settings
    if settings.uat_sign_in is None:
        logger.error("sign-in not configured", extra={"reason": "UAT_SIGN_IN holds no client_id and client_secret"})
    github = GitHub(settings.github_url, settings.github_api_url, settings.uat_sign_in)

    async def repository_of(session_id: str) -> str | None:
        session = await directory.look_up(session_id)
        return session.repo if session else None

    sign_in = GitHubSignIn(github, settings.uat_domain, keys.believed, repository_of)
    writers = Writers(github, keys.believed)
    writing = WritingPaths(sign_in, github, writers, directory, writing_renderer, renderer)
    callback = CallbackPath(sign_in, renderer, forwards=admits_by_github)
    here, visitors = (*callback.routes, *writing.routes), GitHubVisitors(sign_in, github, writers)
    try:
        if admits_by_github:
            gate = GitHubGate(Tokens(keys), sign_in)
            paths = SignInPaths(sign_in, gate, renderer)
            routes = (*paths.routes, *here)
            yield AccessMode(gate, routes, paths.begin_for_own_page, sign_in.writing_url, visitors)
        else:
            yield AccessMode(_gate(settings), here, None, sign_in.writing_url, visitors_at(address) or visitors)
    finally:
        await github.aclose()


def _gate(settings: Settings) -> Gate:
    """Return the gate of a mode that asks nobody but the visitor."""
    if settings.uat_access == "public":
        return PublicGate()
    return LinkGate(Tokens(cast("AccessKeys", settings.uat_access_keys)))
