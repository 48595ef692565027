"""HTTP: the system's own visits to sessions, by their public names."""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import requests

_TIMEOUT_SECONDS = 10
_USER_AGENT = "claude-cloud-agent"


class NoAnswerError(Exception):
    """Nothing answered by that name: no address, no connection, no certificate for it, or no answer in 10 s."""


@dataclass(frozen=True)
class Answer:
    """What a visitor was answered; a redirect is not followed."""

    status: int
    text: str


def visit(url: str, cookie: str = "") -> Answer:
    """Get the page at `url`, with this `Cookie` header.

    Raises:
        NoAnswerError: there was no answer; says why, and never shows the cookie.
    """
    parts = urlsplit(url)
    headers = {"User-Agent": _USER_AGENT, "Host": parts.netloc} | ({"Cookie": cookie} if cookie else {})
    if (parts.hostname or "").endswith(".localhost"):
        # A name under localhost is this machine (RFC 6761, section 6.3), which not every resolver knows.
        parts = parts._replace(netloc=f"127.0.0.1:{parts.port or 80}")
    try:
        answer = requests.get(urlunsplit(parts), headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise NoAnswerError(f"{url} gave no answer: {_cause(error)}") from error
    return Answer(answer.status_code, answer.text)


def _cause(error: Exception) -> str:
    """The innermost of what requests and urllib3 have wrapped: the socket's or TLS's own words."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    return str(getattr(error, "reason", None) or error)
