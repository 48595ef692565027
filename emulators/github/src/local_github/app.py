"""All of the GitHub as one ASGI application."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response

from local_github import attachments, lfs, smart_http, token_exchange
from local_github.api import (
    accounts,
    apps,
    deployments,
    git_data,
    graphql,
    issues,
    pulls,
    repositories,
    rulesets,
    stage,
    user_tokens,
)
from local_github.deliveries import delivering
from local_github.errors import ApiError, MovedError, NotFoundError
from local_github.fault_injection import FaultInjection
from local_github.numbered_addresses import NumberedAddresses
from local_github.pages import authorize, forms, views
from local_github.pages.rendering import error_page
from local_github.request_log import RequestLogging
from local_github.rest import PREFIX, respond_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from local_github.site import Site

# Where an address fits two routes the first one serves it: the statuses of a commit before the commit itself.
_PARTS = (
    accounts,
    apps,
    issues,
    pulls,
    deployments,
    git_data,
    repositories,
    rulesets,
    graphql,
    stage,
    user_tokens,
    token_exchange,
    smart_http,
    lfs,
    attachments,
    authorize,
    forms,
    views,
)


def build_app(site: Site) -> Starlette:
    """Return the application; while it runs, webhooks are delivered, and when it ends the storage is closed."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        smart_http.install_hooks(site.data_dir / "hooks")
        async with delivering(site):
            yield
        site.storage.close()

    app = Starlette(
        routes=[route for part in _PARTS for route in part.ROUTES],
        # The pages act for whoever opens them; a foreign name for this address must not reach them.
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"]),
            Middleware(NumberedAddresses, site),
            Middleware(RequestLogging, site.request_log),
            Middleware(FaultInjection, site),
        ],
        exception_handlers={ApiError: _refused, HTTPException: _unrouted},
        lifespan=lifespan,
    )
    app.state.site = site
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class alone
    if isinstance(error, MovedError):
        return _sent_on(request, error)
    is_api = request.url.path.startswith("/api/")
    return respond_error(error) if is_api else error_page(request, error)


def _sent_on(request: Request, moved: MovedError) -> Response:
    """Send a client on: 301 for who reads, 307 (the same request again) for who writes.

    Pages and Git to the repository's new name, the API to its number, as GitHub does.
    """
    reads = request.method in {"GET", "HEAD"}
    former = re.compile(f"/{re.escape(moved.former)}(?=$|[/.])", re.IGNORECASE)
    path = former.sub(f"/{moved.current}", request.url.path, count=1)
    path = path.replace(f"{PREFIX}/repos/{moved.current}", f"{PREFIX}/repositories/{moved.repository_id}", 1)
    site: Site = request.app.state.site
    url = f"{site.base_url}{path}" + (f"?{request.url.query}" if request.url.query else "")
    status, message = (moved.status, moved.message) if reads else (307, "Temporary Redirect")
    return JSONResponse({"message": message, "url": url}, status, {"Location": url})


async def _unrouted(request: Request, error: Exception) -> Response:
    """Answer an address or a method nothing serves as GitHub does: it is not found."""
    del error
    return await _refused(request, NotFoundError())
