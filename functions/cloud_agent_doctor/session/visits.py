"""HTTP: the system's own visits to sessions, by their public names."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final
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

CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 10  # the proxy itself tries a dev server for 3 s at most
_MOST_BYTES = 65_536  # of an answer; the proxy's own are at most some 5 KB


class NoAnswerError(Exception):
    """Nothing answered by that name. Its text says why, and shows neither address nor cookie: both may be secret."""


@dataclass(frozen=True)
class Answer:
    """What a visitor was answered; a redirect is not followed."""

    status: int
    body: bytes
    """Its first 64 KiB."""
    cookies: str
    """What it sets, as the next request's `Cookie` header has it."""


def visit(address: str, cookies: str = "", accept: str = "*/*") -> Answer:
    """Get what is at `address`, with this `Cookie` header.

    By urllib3, as the functions' other plain requests, and not by a browser: what is asked is how far a request comes.

    Raises:
        NoAnswerError: there was no answer, or none within 10 s.
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
            answer = http.request("GET", address, headers=headers, redirect=False, preload_content=False)
            body = answer.read(_MOST_BYTES)
            answer.close()
    except HTTPError as error:
        raise NoAnswerError(_trouble(error)) from error
    return Answer(answer.status, body, _cookies(answer))


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


def _cookies(answer: urllib3.BaseHTTPResponse) -> str:
    found = SimpleCookie()
    for line in answer.headers.getlist("Set-Cookie"):
        try:
            found.load(line)
        except CookieError:
            continue  # a browser, too, takes the others
    return "; ".join(f"{name}={cookie.coded_value}" for name, cookie in found.items())
