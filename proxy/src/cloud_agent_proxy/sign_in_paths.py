"""The addresses at which a visitor passes through the sign-in with GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from cloud_agent_proxy.responses import origin_of, page_response, redirect_response
from cloud_agent_proxy.sign_in import pages
from cloud_agent_proxy.sign_in.github import NotConfiguredError
from cloud_agent_proxy.sign_in.results import Cause, Failed, Granted, Redirect, Refused, SignedIn
from cloud_agent_proxy.sign_in.state import OWN_PAGE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from cloud_agent_proxy.access.github import GitHubGate
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.sign_in.github_sign_in import GitHubSignIn


class CallbackPath:
    """Where GitHub sends everybody back to, on the sign-in host: for its own pages, or on to a session's host.

    It `forwards` in mode `github` alone: in the others nobody signs in for a session.
    """

    def __init__(self, sign_in: GitHubSignIn, renderer: PageRenderer, *, forwards: bool) -> None:
        self._sign_in = sign_in
        self._renderer = renderer
        self._forwards = forwards
        self.routes = [Route("/callback", self._respond)]

    async def _respond(self, request: Request) -> Response:
        match await self._finished(request):
            case SignedIn() as signed_in:
                return redirect_response(signed_in.return_to, [signed_in.cookie.header])
            case Redirect() as redirect:
                return redirect_response(redirect.url, [])
            case Failed() as failed:
                return page_response(self._renderer, request, pages.failed_on_sign_in_host(failed))

    async def _finished(self, request: Request) -> SignedIn | Redirect | Failed:
        finished = await self._sign_in.finish_here(origin_of(request), request.query_params, request.cookies)
        if finished is not None:
            return finished
        if self._forwards:
            return self._sign_in.forward(origin_of(request), request.query_params)
        return Failed(Cause.EXPIRED)


class SignInPaths:
    """Answers for sessions' hosts in mode `github`: navigations without access, the way back, a change of account."""

    def __init__(self, sign_in: GitHubSignIn, gate: GitHubGate, renderer: PageRenderer) -> None:
        self._sign_in = sign_in
        self._gate = gate
        self._renderer = renderer
        self.routes = [
            Route("/sign-in/{session_id}{path:path}", self._begin),
            Route("/own/{session_id}/.uat/callback", self._finish),
            Route(f"/own/{{session_id}}{pages.SIGN_IN_PATH}", self._choose_account),
        ]

    def begin_for_own_page(self, request: Request) -> Response:
        """Send a visitor to GitHub who asked for a session's own page, which is where they come back to."""
        return self._begin_at(request, OWN_PAGE)

    async def _begin(self, request: Request) -> Response:
        return self._begin_at(request, _asked_for(request))

    async def _choose_account(self, request: Request) -> Response:
        """Begin anew, which nobody needs access for: what follows is the same for every session, and for none."""
        return self._begin_at(request, request.query_params.get("return_to", "/"), choose_account=True)

    def _begin_at(self, request: Request, return_to: str, *, choose_account: bool = False) -> Response:
        session_id = request.path_params["session_id"]
        try:
            begun = self._sign_in.begin(
                session_id, origin_of(request), return_to, request.cookies, choose_account=choose_account
            )
        except NotConfiguredError:
            return self._failed(request, Failed(Cause.NOT_CONFIGURED), session_id)
        return redirect_response(begun.url, [begun.cookie.header] if begun.cookie else [])

    async def _finish(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        match await self._sign_in.finish(session_id, origin_of(request), request.query_params, request.cookies):
            case Granted() as granted:
                grant = self._gate.grant(session_id, granted.access_seconds, granted.renewal)
                return redirect_response(granted.return_to, grant.cookies)
            case Refused() as refused:
                return page_response(self._renderer, request, pages.refused(refused))
            case Failed() as failed:
                return self._failed(request, failed, session_id)

    def _failed(self, request: Request, failed: Failed, session_id: str) -> Response:
        return page_response(self._renderer, request, pages.failed(failed, session_id))


def _asked_for(request: Request) -> str:
    """Return path and query as the visitor wrote them."""
    path = request.scope["raw_path"].decode("latin-1").removeprefix(f"/sign-in/{request.path_params['session_id']}")
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
