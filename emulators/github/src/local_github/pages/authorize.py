"""The page on which a person lets the App act for them, or does not.

Nobody has a password here: a person says who they are. The browser remembers it in a cookie of these pages alone, and
goes straight on the next time, as on GitHub.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from local_github.errors import InvalidError
from local_github.oauth import (
    AuthorizationRequest,
    SentBackError,
    authorize_app,
    has_authorized,
    read_request,
)
from local_github.pages.form_data import Form, check_origin, read_form
from local_github.pages.rendering import page
from local_github.site import Site, digest

if TYPE_CHECKING:
    from starlette.requests import Request

_PATH = "/login/oauth/authorize"
_COOKIE, _COOKIE_PATH = "user_session", "/login/oauth"


async def _serve_page(request: Request) -> Response:
    return await to_thread.run_sync(_show, request)


async def _serve_form(request: Request) -> Response:
    check_origin(request)
    return await to_thread.run_sync(_decide, request, await read_form(request))


def _show(request: Request) -> Response:
    """Ask the person, or send one back at once who has authorized the App and is the expected one."""
    site: Site = request.app.state.site
    try:
        asked = read_request(site, request.query_params)
    except SentBackError as error:
        return RedirectResponse(error.location, 302)
    person = _signed_in(site, request)
    if person and _is_enough(asked, person) and has_authorized(site, person):
        with site.storage.transaction():
            return RedirectResponse(authorize_app(site, asked, person), 302)
    people = [row["login"] for row in site.storage.all("SELECT login FROM users WHERE type = 'User' ORDER BY id")]
    likely = (asked.login or person or people[0]).lower()
    return page(
        site,
        "authorize.html",
        people=people,
        likely=likely,
        callback=asked.redirect_uri,
        parameters=dict(request.query_params),
    )


def _is_enough(asked: AuthorizationRequest, person: str) -> bool:
    """Tell whether the account that is signed in is the one to go on with, so that nobody is asked."""
    return asked.prompt != "select_account" and (asked.login or person).lower() == person.lower()


def _decide(request: Request, form: Form) -> Response:
    site: Site = request.app.state.site
    try:
        asked = read_request(site, form)
    except SentBackError as error:
        return _lead_to(site, error.location)
    if form.get("decision") != "authorize":
        return _lead_to(site, asked.denial)
    with site.storage.transaction():
        return _authorize(site, asked, form.get("person", ""))


def _authorize(site: Site, asked: AuthorizationRequest, login: str) -> Response:
    user = site.user(login)
    if not user or user["type"] != "User":
        raise InvalidError.of("User", "invalid", field="person")
    session = secrets.token_hex(20)
    site.storage.insert("browser_sessions", digest=digest(session), login=user["login"])
    answer = _lead_to(site, authorize_app(site, asked, user["login"]))
    answer.set_cookie(_COOKIE, session, path=_COOKIE_PATH, httponly=True, samesite="lax")
    return answer


def _signed_in(site: Site, request: Request) -> str | None:
    row = site.storage.one(
        "SELECT login FROM browser_sessions WHERE digest = ?", digest(request.cookies.get(_COOKIE, ""))
    )
    return str(row["login"]) if row else None


def _lead_to(site: Site, location: str) -> Response:
    """Return a page that goes on to an address by itself, as GitHub's does.

    A redirect would not do: browsers hold the answer to a form to the page's `form-action`, all along a chain of
    redirects.
    """
    return page(site, "authorized.html", location=location)


ROUTES = [
    Route(_PATH, _serve_page, methods=["GET"]),
    Route(_PATH, _serve_form, methods=["POST"]),
]
