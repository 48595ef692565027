"""A visit to a session by its public name, at a path of the proxy's own, so that it counts as no activity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from cloud_agent_doctor.session import visits

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS_PATH: Final = "/.uat/status"
_JSON: Final = "application/json"


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
    cookies = ""
    try:
        if entry_link:
            answer = visits.visit(entry_link, accept=_JSON)
            if answer.status != HTTPStatus.SEE_OTHER:
                return _told(answer)
            cookies = answer.cookies
        return _told(visits.visit(url + STATUS_PATH, cookies, accept=_JSON))
    except visits.NoAnswerError as error:
        return Visit(trouble=str(error))


def _told(answer: visits.Answer) -> Visit:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    is_the_proxys = isinstance(document, dict) and {"error", "title", "live"} <= set(document)
    return Visit(status=answer.status, document=document if is_the_proxys else None)
