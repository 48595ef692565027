"""Access by GitHub: its gate where the mode is `github`, and in each mode what visitors sign in for."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, cast

from cloud_agent_proxy.access.github import GitHubGate
from cloud_agent_proxy.access.mode import AccessMode, gate_of
from cloud_agent_proxy.access.tokens import Tokens
from cloud_agent_proxy.index.visitors import GitHubVisitors, visitors_at
from cloud_agent_proxy.sign_in.github import GitHub
from cloud_agent_proxy.sign_in.github_sign_in import GitHubSignIn
from cloud_agent_proxy.sign_in_paths import CallbackPath, SignInPaths
from cloud_agent_proxy.writing.paths import WritingPaths
from cloud_agent_proxy.writing.writers import Writers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from ipaddress import IPv4Address

    from cloud_agent_proxy.access.keys import AccessKeys
    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.settings import Settings
    from cloud_agent_proxy.writing.renderer import WritingRenderer

logger = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def sign_in_mode(
    settings: Settings,
    address: IPv4Address,
    directory: SessionDirectory,
    renderer: PageRenderer,
    writing_renderer: WritingRenderer,
) -> AsyncIterator[AccessMode]:
    """Open the mode that the settings name, where visitors sign in with GitHub for this or that."""
    admits_by_github = settings.uat_access == "github"
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
            yield AccessMode(gate_of(settings), here, None, sign_in.writing_url, visitors_at(address) or visitors)
    finally:
        await github.aclose()
