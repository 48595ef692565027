"""A visitor of a session's URL, as a browser would come: by the host name, through load balancer and proxy."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

import httpx

from cloud_agent_local.errors import DemoError

if TYPE_CHECKING:
    from cloud_agent_local.installation import Installation

POLL_SECONDS = 0.1
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """An answer of the session's URL."""

    status: int
    text: str

    @property
    def heading(self) -> str:
        """The words of the page's first heading."""
        found = _HEADING.search(self.text)
        return " ".join(unescape(re.sub(r"<[^>]+>", "", found[1])).split()) if found else ""


class Visitor:
    """Fetches the front page of one session."""

    def __init__(self, installation: Installation, session_id: str) -> None:
        self._host = f"{session_id}.{installation.uat_domain}:{installation.ports.proxy}"
        self.url = f"http://{self._host}"
        # Not every resolver knows *.localhost, every browser does: connect to the load balancer, name the host.
        self._http = httpx.Client(base_url=installation.proxy_url, headers={"Host": self._host}, trust_env=False)

    def fetch(self) -> Page:
        """The front page now, whatever its status."""
        answer = self._http.get("/", timeout=10)
        return Page(answer.status_code, answer.text)

    def wait_for(self, words: str, seconds: float) -> Page:
        """The front page once it is served by the session itself and contains `words`.

        Raises:
            DemoError: it does not within `seconds`; says what the URL answered last.
        """
        deadline = time.monotonic() + seconds
        last = "nothing"
        while time.monotonic() < deadline:
            try:
                page = self.fetch()
            except httpx.HTTPError as error:
                last = f"no answer ({type(error).__name__})"
            else:
                if page.status == httpx.codes.OK and words in unescape(page.text):
                    return page
                last = f"{page.status}, headed {page.heading!r}"
            time.sleep(POLL_SECONDS)
        expected = f"a page with {words!r}" if words else "a page"
        raise DemoError(f"{self.url} did not show {expected} within {seconds:.0f} s; its last answer was {last}.")
