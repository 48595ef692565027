"""What a dev server responds with, as a visitor would get it."""

from __future__ import annotations

import asyncio
import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import httpx

if TYPE_CHECKING:
    from cloud_agent_runner.workspace.command_output import Mask

LocalName = Literal["localhost", "127.0.0.1"]
_NAME_REFUSED = 400  # Django's, of a host that ALLOWED_HOSTS doesn't have
_SECONDS = 30.0  # a first compilation may take that long
_REDIRECTS = 3
_OWN_NAMES = {"localhost", "127.0.0.1", "0.0.0.0", "::1", "::"}  # noqa: S104 - what a server may call itself
_BODY_LIMIT_BYTES = 32 * 1024
_EXCERPT_LINES = 8
_EXCERPT_CHARACTERS = 300
_ERRORS_FROM = 400
_NOT_SHOWN = {"script", "style", "template", "svg", "noscript"}
_IN_A_LINE = {"a", "b", "code", "em", "i", "small", "span", "strong", "u"}
# (not any number of characters: a dev server may mean harm)
_LOADED = re.compile(
    r"""<(?:script|link)\b[^>]{0,300}?\s(?:src|href)\s*=\s*["']?"""
    r"""(https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d{2,5}))\b""",
    re.IGNORECASE,
)


class NoResponseError(Exception):
    """There was no HTTP response; the text says what there was instead."""


@dataclass(frozen=True)
class PageResponse:
    """A response: its status, and the first lines of its body as text, at most 300 characters.

    `name` is what the dev server was called in the Host header. `source` is where the page loads a script or styles
    from that only a browser on the dev server's own machine reaches: the first such address, without a path.
    """

    status: int
    excerpt: str = ""
    is_html: bool = False
    name: LocalName = "localhost"
    source: str = ""

    @property
    def is_page(self) -> bool:
        """Whether it's what a person wants to see, and no error."""
        return self.status < _ERRORS_FROM

    @property
    def objection(self) -> str:
        """What is wrong with it, as a clause for people; nothing of a page that visitors get whole."""
        if self.is_page:
            return f"it loads scripts or styles from {self.source}, which visitors can't reach" if self.source else ""
        lines = "; ".join(self.excerpt.splitlines())
        return f"it responds with HTTP {self.status}" + (f": {lines}" if lines else "")


async def probe(url: str, path: str, port: int, mask: Mask) -> PageResponse:
    """Return what `GET path` at `url` leads to for a visitor, who follows redirects to the dev server itself.

    It is called `localhost` and `port`, as visitors' requests do, or by number if only that name is not refused. `mask`
    covers what the excerpt must not show. Of a body, no more than its first 32 KB are read.

    Raises:
        NoResponseError: there is none within 30 s, or it is no HTTP.
    """
    response = await _probe(url, path, "localhost", port, mask)
    if response.status != _NAME_REFUSED:
        return response
    other = await _probe(url, path, "127.0.0.1", port, mask)
    return response if other.status == _NAME_REFUSED else other


async def _probe(url: str, path: str, name: LocalName, port: int, mask: Mask) -> PageResponse:
    host = f"{name}:{port}"
    try:
        async with asyncio.timeout(_SECONDS), _client() as http:
            for _ in range(_REDIRECTS):
                # What is compressed could be far larger than what is read of it.
                headers = {"Host": host, "Accept": "text/html,*/*", "Accept-Encoding": "identity"}
                async with http.stream("GET", f"{url}{path}", headers=headers) as response:
                    target = _redirected(response, f"http://{host}{path}", own_name=httpx.URL(url).host)
                    if target is None:
                        return replace(await _read(response, mask, port), name=name)
                path = target
    except TimeoutError as error:
        raise NoResponseError(f"it didn't respond within {_SECONDS:.0f} s") from error
    except httpx.HTTPError as error:
        raise NoResponseError(f"last attempt: {type(error).__name__}") from error
    return PageResponse(response.status_code, name=name)


def _client() -> httpx.AsyncClient:
    # It asks over plain HTTP alone; reading the authorities' certificates would take longer than all the rest.
    return httpx.AsyncClient(timeout=_SECONDS, trust_env=False, verify=False)  # noqa: S501 - see above


def _redirected(response: httpx.Response, base: str, *, own_name: str) -> str | None:
    """Return the path that a redirect to the dev server itself leads to; None of anything else."""
    if not response.has_redirect_location:
        return None
    target = httpx.URL(base).join(response.headers["Location"])
    is_own = target.host in _OWN_NAMES | {own_name} and target.port == httpx.URL(base).port
    return target.raw_path.decode("ascii") if is_own else None


async def _read(response: httpx.Response, mask: Mask, port: int) -> PageResponse:
    """Return what is known of a response once its body has begun."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    body = b""
    if (
        not kind or kind.startswith("text/") or "html" in kind or "json" in kind
    ) and "Content-Encoding" not in response.headers:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) >= _BODY_LIMIT_BYTES:
                break
    text = body[:_BODY_LIMIT_BYTES].decode(errors="replace")
    # Browsers look at the body of what has no type (WHATWG: MIME Sniffing).
    is_html = "html" in kind or (not kind and text.lstrip().startswith("<"))
    shown = _first_lines(mask.over(_shown(text) if is_html else text))
    return PageResponse(response.status_code, shown, is_html, source=_source(text, port) if is_html else "")


def _source(markup: str, port: int) -> str:
    """Return the first address of this machine, other than that port's, which a page loads a script or styles from."""
    return next((found[1] for found in _LOADED.finditer(markup) if int(found[2]) != port), "")


def _first_lines(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "\n".join([line for line in lines if line][:_EXCERPT_LINES])[:_EXCERPT_CHARACTERS]


def _shown(markup: str) -> str:
    """Return the text that a page shows. It takes one pass, whatever the markup: a dev server may mean harm."""
    shown: list[str] = []
    hidden = ""
    for part in f">{markup}".split("<"):
        tag, _, text = part.partition(">")
        name = (tag.split() or [""])[0].lower().rstrip("/")
        if not hidden and tag.startswith("!--"):
            hidden = "!--"
        if hidden == "!--":
            _, end, text = part.partition("-->")
            hidden = "" if end else hidden
        elif hidden:
            hidden = "" if name == f"/{hidden}" else hidden
        elif name in _NOT_SHOWN:
            hidden = name
        if not hidden:
            shown.append(text if name.lstrip("/") in _IN_A_LINE else f"\n{text}")
    return html.unescape("".join(shown))
