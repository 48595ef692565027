"""PageRenderer and their short forms as HTTP responses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from cloud_agent_proxy.page_renderer import PageRenderer, RenderedPage
    from cloud_agent_proxy.pages import Page

EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""What a visitor may send; HAProxy refuses TRACE and CONNECT."""


def rendered_response(rendered: RenderedPage) -> Response:
    """Send a rendered page as it is."""
    return Response(rendered.body, rendered.status, rendered.headers)


def page_response(renderer: PageRenderer, request: Request, page: Page) -> Response:
    """Send a page as HTML, or as JSON to who asks for that and not for HTML."""
    accepted = request.headers.get("accept", "")
    as_json = "application/json" in accepted and "text/html" not in accepted
    return rendered_response(renderer.json(page) if as_json else renderer.html(page))


def origin_of(request: Request) -> str:
    """Return the origin by which the visitor reached us; HAProxy has put these headers in place of any other."""
    return f"{request.headers['x-forwarded-proto']}://{request.headers['x-forwarded-host']}"


def redirect_response(url: str, cookies: Iterable[str]) -> Response:
    """Send a visitor on from an address that nobody else should learn, with these values of Set-Cookie."""
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return with_cookies(RedirectResponse(url, HTTPStatus.SEE_OTHER, headers), cookies)


def with_cookies(response: Response, cookies: Iterable[str]) -> Response:
    """Return the response, which now sets these cookies too, each the value of a Set-Cookie header."""
    for cookie in cookies:
        response.headers.append("Set-Cookie", cookie)
    return response
