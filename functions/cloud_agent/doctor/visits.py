"""A visit to a session by its public name, at a path of the proxy's own, so that it counts as no activity.

By urllib3, as the functions' other plain requests, and not by a browser: what is asked is how far a request comes.
"""

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

STATUS_PATH: Final = "/.uat/status"
CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 10  # the proxy itself tries a dev server for 3 s at most
_MOST_BYTES = 65_536  # of an answer; the proxy's own are at most some 5 KB
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Visit:
    """What came back."""

    status: int = 0
    """0: no answer."""
    trouble: str = ""
    """Why there was no answer."""
    document: Mapping[str, Any] | None = None
    """What the proxy says of the session; None when the answer is not the proxy's."""


def visit(url: str, entry_link: str = "") -> Visit:
    """How the session at `url` is, by the proxy's word; never raises.

    An `entry_link` is exchanged for a cookie first, as a browser would. It holds a token: no trouble names it.
    """
    with urllib3.PoolManager(timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False) as http:
        try:
            return _asked(http, url, entry_link)
        except HTTPError as error:
            return Visit(trouble=_trouble(error))


def _asked(http: urllib3.PoolManager, url: str, entry_link: str) -> Visit:
    cookies = ""
    if entry_link:
        answer = _get(http, entry_link)
        if answer.status != HTTPStatus.SEE_OTHER:
            return _told(answer)
        cookies = _cookies(answer)
    return _told(_get(http, url + STATUS_PATH, cookies))


def _trouble(error: HTTPError) -> str:
    match error:
        case NameResolutionError():
            return "the name has no address"
        case NewConnectionError():  # urllib3 counts it among the timeouts
            return "no connection: nothing listens there, or nothing leads there"
        case SSLError():
            return "its certificate is not accepted"
        case ConnectTimeoutError() | ReadTimeoutError():
            return f"no connection within {CONNECT_SECONDS} s, or no answer within {READ_SECONDS} s"
        case _:
            return f"the connection was closed, or what came was no HTTP ({type(error).__name__})"


def _get(http: urllib3.PoolManager, address: str, cookies: str = "") -> urllib3.BaseHTTPResponse:
    headers = {"Accept": "application/json", "User-Agent": "claude-cloud-agent-doctor"}
    if cookies:
        headers["Cookie"] = cookies
    parts = urlsplit(address)
    if parts.hostname and parts.hostname.endswith(".localhost"):
        # Not every resolver knows *.localhost, as every browser does: connect to this machine, name the host.
        headers["Host"] = parts.netloc
        port = f":{parts.port}" if parts.port else ""
        address = parts._replace(netloc=_LOOPBACK + port).geturl()
    return http.request("GET", address, headers=headers, redirect=False, preload_content=False)


def _cookies(answer: urllib3.BaseHTTPResponse) -> str:
    """The cookies that an answer sets, as the next request sends them."""
    found = SimpleCookie()
    for line in answer.headers.getlist("Set-Cookie"):
        try:
            found.load(line)
        except CookieError:
            continue  # a browser, too, takes the others
    return "; ".join(f"{name}={cookie.coded_value}" for name, cookie in found.items())


def _told(answer: urllib3.BaseHTTPResponse) -> Visit:
    body = answer.read(_MOST_BYTES)
    answer.close()
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    is_the_proxys = isinstance(document, dict) and {"error", "title", "live"} <= set(document)
    return Visit(status=answer.status, document=document if is_the_proxys else None)
