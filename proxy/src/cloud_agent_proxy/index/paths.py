"""`/` on the sign-in host, and on the UAT domain itself, which leads there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.routing import Route

from cloud_agent_proxy import pages
from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.index.view import view_of
from cloud_agent_proxy.origins import origin_below
from cloud_agent_proxy.responses import origin_of, page_response, redirect_response, rendered_response
from cloud_agent_proxy.sessions_table import TableUnavailableError
from cloud_agent_proxy.sign_in import SIGN_IN_HOST
from cloud_agent_proxy.sign_in import pages as sign_in_pages
from cloud_agent_proxy.sign_in.github import GitHubAwayError, UserTokenRefusedError
from cloud_agent_proxy.sign_in.results import Failed, Redirect

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from cloud_agent_proxy.index.overviews import Overviews
    from cloud_agent_proxy.index.renderer import IndexRenderer
    from cloud_agent_proxy.index.visitors import Visitors
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.settings import Settings

_MOST_SECONDS = 10  # HAProxy waits for twelve


class IndexPaths:
    """Shows each visitor the sessions that they may see. Before it's known who they are, nothing is looked up."""

    def __init__(
        self,
        settings: Settings,
        visitors: Visitors,
        overviews: Overviews,
        renderer: IndexRenderer,
        page_renderer: PageRenderer,
    ) -> None:
        self._uat_domain = settings.uat_domain
        self._most = settings.max_sessions
        self._visitors = visitors
        self._overviews = overviews
        self._renderer = renderer
        self._page_renderer = page_renderer
        self.routes = [Route("/", self.respond)]

    async def respond(self, request: Request) -> Response:
        """Respond to one visitor."""
        if urlsplit(origin_of(request)).hostname == self._uat_domain:
            return redirect_response(f"{origin_below(self._uat_domain, SIGN_IN_HOST, origin_of(request))}/", [])
        where = self._visitors.sign_in(request)
        if where is not None:
            return self._to_sign_in(request, where)
        try:
            async with asyncio.timeout(_MOST_SECONDS):
                return await self._index(request)
        except UserTokenRefusedError:
            return self._to_sign_in(request, self._visitors.sign_in(request, again=True))
        except (GitHubAwayError, TimeoutError):
            return page_response(self._page_renderer, request, access_pages.github_not_responding())
        except TableUnavailableError:
            return page_response(self._page_renderer, request, pages.table_unavailable(""))

    async def _index(self, request: Request) -> Response:
        overview = await self._overviews.current()
        repositories = list(dict.fromkeys(session.repo for session in overview.sessions))
        seen = await self._visitors.seen(request, repositories)
        url_of = partial(self._page_of, origin_of(request))
        view = view_of(overview, seen, most=self._most, url_of=url_of, now=datetime.now(UTC))
        return rendered_response(self._renderer.page(view))

    def _to_sign_in(self, request: Request, where: Redirect | Failed | None) -> Response:
        match where:
            case Redirect():
                return redirect_response(where.url, [where.cookie.header] if where.cookie else [])
            case Failed():
                return page_response(self._page_renderer, request, sign_in_pages.failed_on_sign_in_host(where))
        return page_response(self._page_renderer, request, access_pages.github_not_responding())

    def _page_of(self, origin: str, session_id: str) -> str:
        return f"{origin_below(self._uat_domain, session_id, origin)}/.uat/"
