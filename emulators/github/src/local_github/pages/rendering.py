"""Templates, and the headers every page has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from starlette.responses import HTMLResponse, Response

from local_github.pages.markdown import rendered

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_github.errors import ApiError
    from local_github.site import Site

_HEADERS = {
    # A comment may hold anything: nothing in it runs, and no image tells a stranger who reads it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def _when(stamp: str) -> str:
    return stamp.replace("T", " ").replace("Z", " UTC")


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(markdown=rendered, when=_when)


def page(site: Site, template: str, *, status: int = 200, **context: Any) -> Response:  # noqa: ANN401 - what the template shows
    """Return a page made of a template."""
    content = _TEMPLATES.get_template(template).render(site=site, **context)
    return HTMLResponse(content, status, headers=_HEADERS)


def error_page(request: Request, error: ApiError) -> Response:
    """Return the page that says why there is no other."""
    causes = [cause.get("message") or f"{cause.get('field', '')} is {cause['code']}" for cause in error.errors]
    site: Site = request.app.state.site
    return page(site, "error.html", status=error.status, message=error.message, causes=causes)
