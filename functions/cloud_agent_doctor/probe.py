"""HTTP: the system's own requests to sessions by their public names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS_PATH: Final = "/.uat/status"  # the proxy's own: a request for it doesn't count as activity
CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 10  # the proxy itself tries a dev server for 3 s at most
_MAX_BYTES = 65_536  # of a response; the proxy's own take some 5 KB at most
_JSON: Final = "application/json"


class NoResponseError(Exception):
    """Nothing responded. The message says why, and shows neither address nor cookie: both may be secret."""


@dataclass(frozen=True)
class Response:
    """An HTTP response; redirects aren't followed."""

    status: int
    body: bytes
    """Its first 64 KiB."""
    cookies: str
    """The cookies it sets, as the next request's `Cookie` header."""


@dataclass(frozen=True)
class SessionProbe:
    """What the proxy says about a session."""

    status: int = 0
    """0: no response."""
    error: str = ""
    """Why there was no response."""
    document: Mapping[str, Any] | None = None
    """The session's state; None if the response isn't the proxy's."""


def probe_session(url: str, entry_link: str = "") -> SessionProbe:
    """Ask the proxy about the session at `url`; never raises.

    An `entry_link` is exchanged for a cookie first, as a browser would. It holds a token: no error names it.
    """
    cookies = ""
    try:
        if entry_link:
            response = probe(entry_link, accept=_JSON)
            if response.status != HTTPStatus.SEE_OTHER:
                return _read(response)
            cookies = response.cookies
        return _read(probe(url + STATUS_PATH, cookies, accept=_JSON))
    except NoResponseError as error:
        return SessionProbe(error=str(error))


def probe(address: str, cookies: str = "", accept: str = "*/*") -> Response:
    """Send a GET to `address`, with this `Cookie` header.

    By urllib3, as the functions' other plain requests, and not by a browser: the question is how far a request gets.

    Raises:
        NoResponseError: there was no response, or none within 10 s.
    """
    headers = {"Accept": accept, "User-Agent": "claude-cloud-agent"}
    if cookies:
        headers["Cookie"] = cookies
    parts = urlsplit(address)
    if (parts.hostname or "").endswith(".localhost"):
        # Such a name is this machine (RFC 6761, section 6.3), which browsers know, and not every resolver.
        headers["Host"] = parts.netloc
        address = parts._replace(netloc=f"127.0.0.1:{parts.port or 80}").geturl()
    timeout = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    try:
        with urllib3.PoolManager(timeout=timeout, retries=False) as http:
            response = http.request("GET", address, headers=headers, redirect=False, preload_content=False)
            body = response.read(_MAX_BYTES)
            response.close()
    except HTTPError as error:
        raise NoResponseError(_reason(error)) from error
    return Response(response.status, body, _cookies(response))


def _read(response: Response) -> SessionProbe:
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        document = None
    is_the_proxys = isinstance(document, dict) and {"error", "title", "live"} <= set(document)
    return SessionProbe(status=response.status, document=document if is_the_proxys else None)


def _reason(error: HTTPError) -> str:
    match error:
        case NameResolutionError():
            return "the name doesn't resolve"
        case NewConnectionError():  # urllib3 counts it among the timeouts
            return "connection refused, or no route to the host"
        case SSLError():
            return "the TLS certificate was rejected"
        case ConnectTimeoutError() | ReadTimeoutError():
            return f"timed out: no connection within {CONNECT_SECONDS} s, or no response within {READ_SECONDS} s"
        case _:
            return f"the connection was closed, or the response isn't HTTP ({type(error).__name__})"


def _cookies(response: urllib3.BaseHTTPResponse) -> str:
    found = SimpleCookie()
    for line in response.headers.getlist("Set-Cookie"):
        try:
            found.load(line)
        except CookieError:
            continue  # a browser, too, takes the others
    return "; ".join(f"{name}={cookie.coded_value}" for name, cookie in found.items())
