"""A visitor of a session, as a browser would come: by the host name, through load balancer and proxy."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from html import unescape
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from cloud_agent_local.errors import DemoError

if TYPE_CHECKING:
    from cloud_agent_local.installation import Installation

POLL_SECONDS = 0.1
MOST_REDIRECTS = 5
# What every browser sends with a click or a typed address.
NAVIGATION = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A response of the session's URL."""

    status: int
    text: str

    @property
    def heading(self) -> str:
        """The words of the page's first heading."""
        found = _HEADING.search(self.text)
        return " ".join(unescape(re.sub(r"<[^>]+>", "", found[1])).split()) if found else ""


class Visitor:
    """One person's browser at one session. It keeps what cookies the session's host sets, for as long as it lives."""

    def __init__(self, installation: Installation, session_id: str) -> None:
        self._host = f"{session_id}.{installation.uat_domain}:{installation.ports.proxy}"
        self.url = f"http://{self._host}"
        # Not every resolver knows *.localhost, every browser does: connect to the load balancer, name the host.
        self._http = httpx.Client(
            base_url=installation.proxy_url,
            headers=NAVIGATION | {"Host": self._host},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )
        # By hand, for the same reason: browsers trust *.localhost with Secure cookies, which no cookie jar does.
        self._cookies: dict[str, str] = {}

    def enter(self, link: str) -> Page:
        """Return the page that a click on a link to this session ends on.

        Raises:
            DemoError: the link leads to another host.
        """
        return self.fetch(self._path_of(link))

    def fetch(self, path: str = "/", *, seconds: float = 10) -> Page:
        """Return a page of the session, the front page unless told otherwise, now and whatever its status.

        Silence of so many seconds raises httpx.TimeoutException.

        Raises:
            DemoError: it redirects to another host, or without end.
        """
        for _ in range(MOST_REDIRECTS):
            cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            response = self._http.get(path, headers={"Cookie": cookies} if cookies else {}, timeout=seconds)
            self._keep_cookies(response)
            if not response.has_redirect_location:
                return Page(response.status_code, response.text)
            path = self._path_of(response.headers["Location"])
        raise DemoError(f"{self.url} redirected more than {MOST_REDIRECTS} times.")

    def _path_of(self, address: str) -> str:
        parts = urlsplit(address)
        if parts.netloc not in {"", self._host}:
            raise DemoError(
                f"A visitor of {self.url} was led to {parts.scheme}://{parts.netloc}."
            )  # its query may be a token
        return parts._replace(scheme="", netloc="").geturl() or "/"

    def _keep_cookies(self, response: httpx.Response) -> None:
        for line in response.headers.get_list("Set-Cookie"):
            for name, cookie in SimpleCookie(line).items():
                own = cookie["secure"] and cookie["path"] == "/" and not cookie["domain"]
                if name.startswith("__Host-") and not own:
                    continue  # a browser takes no such cookie
                self._cookies[name] = cookie.coded_value
                if cookie["max-age"] == "0":
                    del self._cookies[name]

    def wait_for(self, words: str, seconds: float) -> Page:
        """Return the front page once it is served by the session itself and contains `words`.

        Raises:
            DemoError: it does not within `seconds`; says what the URL answered last.
        """
        deadline = time.monotonic() + seconds
        last = "nothing"
        while time.monotonic() < deadline:
            try:
                page = self.fetch()
            except httpx.HTTPError as error:
                last = f"no response ({type(error).__name__})"
            else:
                if page.status == httpx.codes.OK and words in unescape(page.text):
                    return page
                last = f"{page.status}, headed {page.heading!r}"
            time.sleep(POLL_SECONDS)
        expected = f"a page with {words!r}" if words else "a page"
        raise DemoError(f"{self.url} did not show {expected} within {seconds:.0f} s; its last response was {last}.")
