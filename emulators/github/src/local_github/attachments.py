"""Images that people attach to what they write: kept apart from any repository, and seen by a signed address.

The address in a text leads nowhere without being signed in. What's rendered of the text has another one, which anybody
can read for five minutes. "GitHub Docs: Attaching files", "Media types"; the signed address, its claims and its life as
they stand in public pages. Which status a bad signature gets isn't known.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
from anyio import to_thread
from starlette.responses import Response
from starlette.routing import Route

from local_github.errors import NotFoundError
from local_github.pages.markdown import rendered

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_github.site import Site
    from local_github.storage import Row

FULL_MEDIA_TYPE = "application/vnd.github.full+json"
LIFE_SECONDS = 300
_AUDIENCE = "raw.githubusercontent.com"
_ASSETS, _SIGNED = "/user-attachments/assets", "/private-user-images"


def attach(site: Site, name: str, content: bytes) -> str:
    """Keep a file; returns the address that stands for it in a text."""
    key, extension = str(uuid.uuid4()), name.rpartition(".")[2]
    site.storage.insert("attachments", uuid=key, extension=extension, content=content)
    return f"{site.base_url}{_ASSETS}/{key}"


def full(site: Site, document: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a description of what somebody wrote, or a list of them, with the text as HTML and without markup."""
    if isinstance(document, list):
        return [full(site, one) for one in document]
    if not isinstance(document, dict) or "body" not in document:
        return document
    html = rendered(document["body"])
    return {**document, "body_html": _with_signed_addresses(site, html), "body_text": html.striptags()}


def _with_signed_addresses(site: Site, html: str) -> str:
    def signed(match: re.Match[str]) -> str:
        row = site.storage.one("SELECT * FROM attachments WHERE uuid = ?", match[1])
        return _signed_address(site, row) if row else match[0]

    return re.sub(rf'(?<=src="){re.escape(site.base_url + _ASSETS)}/([0-9a-f-]{{36}})(?=")', signed, html)


def _signed_address(site: Site, row: Row) -> str:
    path, begin = f"{_SIGNED}/1/{row['id']}-{row['uuid']}.{row['extension']}", int(time.time())
    claims = {"iss": "github.com", "aud": _AUDIENCE, "nbf": begin, "exp": begin + LIFE_SECONDS, "path": path}
    token = jwt.encode(claims, site.credentials.client_secret, algorithm="HS256")
    return f"{site.base_url}{path}?{urlencode({'jwt': token})}"


async def _serve(request: Request) -> Response:
    """Answer GET of a signed address."""
    return await to_thread.run_sync(_answer, request)


def _answer(request: Request) -> Response:
    site: Site = request.app.state.site
    secret, token = site.credentials.client_secret, request.query_params.get("jwt", "")
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"], audience=_AUDIENCE, options={"require": ["exp"]})
    except jwt.PyJWTError as error:
        raise NotFoundError from error
    if claims["path"] != request.url.path:
        raise NotFoundError
    row = site.storage.get("attachments", request.path_params["number"])
    return Response(row["content"], media_type=f"image/{row['extension']}")


ROUTES = [Route(f"{_SIGNED}/1/{{number:int}}-{{file}}", _serve, methods=["GET"])]
