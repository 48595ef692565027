"""POST /login/oauth/access_token: the App's web server exchanges a code for a user access token."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from anyio import to_thread
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_github.errors import BadRequestError
from local_github.oauth import TOKEN_LIFE, ExchangeError, exchange
from local_github.request_log import EXCHANGE_PATH
from local_github.rest import parse_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_github.site import Site

_ERRORS_URL = "https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors"


async def _serve(request: Request) -> Response:
    """Answer 200 in any case, as GitHub does, in JSON if it is asked for and as a form if not."""
    parameters = dict(request.query_params) | _parameters(request, await request.body())
    answer = await to_thread.run_sync(_exchange, request.app.state.site, parameters)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(answer)
    return Response(urlencode(answer), media_type="application/x-www-form-urlencoded; charset=utf-8")


def _parameters(request: Request, content: bytes) -> dict[str, str]:
    if request.headers.get("content-type", "").startswith("application/json"):
        body = parse_json(content)
        return {name: str(value) for name, value in body.items()} if isinstance(body, dict) else {}
    try:
        return dict(parse_qsl(content.decode(), keep_blank_values=True))
    except ValueError as error:
        raise BadRequestError("Problems parsing the form") from error


def _exchange(site: Site, parameters: dict[str, str]) -> dict[str, str | int]:
    with site.storage.transaction():
        try:
            token = exchange(site, parameters)
        except ExchangeError as error:
            return {"error": error.error, "error_description": error.description, "error_uri": _ERRORS_URL}
    seconds = int(TOKEN_LIFE.total_seconds())
    return {"access_token": token, "expires_in": seconds, "token_type": "bearer", "scope": ""}


ROUTES = [Route(EXCHANGE_PATH, _serve, methods=["POST"])]
