"""All of the GitHub as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response

from cloud_agent_local.github import smart_http
from cloud_agent_local.github.api import accounts, apps, deployments, git_data, graphql, issues, pulls, repositories
from cloud_agent_local.github.deliveries import delivering
from cloud_agent_local.github.errors import ApiError, NotFoundError
from cloud_agent_local.github.pages import forms, views
from cloud_agent_local.github.pages.rendering import error_page
from cloud_agent_local.github.rest import respond_error
from cloud_agent_local.github.site import Site

# Where an address fits two routes the first one serves it: the statuses of a commit before the commit itself.
_PARTS = (accounts, apps, issues, pulls, deployments, git_data, repositories, graphql, smart_http, forms, views)


def build_app(site: Site) -> Starlette:
    """Return the application; while it runs, webhooks are delivered, and when it ends the storage is closed."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        smart_http.install_hook(site.data_dir / "hooks")
        async with delivering(site):
            yield
        site.storage.close()

    app = Starlette(
        routes=[route for part in _PARTS for route in part.ROUTES],
        # The pages act for whoever opens them; a foreign name for this address must not reach them.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"])],
        exception_handlers={ApiError: _refused, HTTPException: _unrouted},
        lifespan=lifespan,
    )
    app.state.site = site
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class alone
    is_api = request.url.path.startswith("/api/")
    return respond_error(error) if is_api else error_page(request, error)


async def _unrouted(request: Request, error: Exception) -> Response:
    """Answer an address or a method nothing serves as GitHub does: it is not found."""
    del error
    return await _refused(request, NotFoundError())
