"""A browser without a window, for what leads from one host to another: a session, the sign-in's own name, GitHub."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

from cloud_agent_local.visitor import NAVIGATION

if TYPE_CHECKING:
    from cloud_agent_local.installation import Installation

MOST_STEPS = 15
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_GOES_ON = re.compile(r'content="0;url=([^"]*)"')


@dataclass(frozen=True)
class Shown:
    """What the browser shows in the end, and the hosts that it was led through."""

    status: int
    text: str
    hosts: list[str]


class Browser:
    """One person's. It keeps each host's cookies, goes where it is led, and authorizes the App when GitHub asks."""

    def __init__(self, installation: Installation, person: str) -> None:
        self._installation = installation
        self._person = person
        self._cookies: dict[str, dict[str, str]] = {}
        self._http = httpx.Client(timeout=15, trust_env=False)

    def visit(self, url: str) -> Shown:
        """Follow redirects, and pages that go on by themselves, to the page that stays."""
        return self._lead(self._request("GET", url), url)

    def fill_in(self, url: str, shown: Shown, **fields: str) -> Shown:
        """Send the form of a page that is shown at this address, and go where it leads."""
        hidden = {name: html.unescape(value) for name, value in _HIDDEN.findall(shown.text)}
        return self._lead(self._request("POST", url, hidden | fields), url)

    def _lead(self, request: httpx.Request, url: str) -> Shown:
        hosts = list[str]()
        for _ in range(MOST_STEPS):
            host = request.headers["Host"]
            hosts += [host] if [host] != hosts[-1:] else []
            answer = self._http.send(request)
            self._keep_cookies(host, answer)
            here = f"http://{host}{request.url.raw_path.decode()}"
            goes_on = _GOES_ON.search(answer.text)
            if answer.has_redirect_location:
                request = self._request("GET", urljoin(here, answer.headers["Location"]))
            elif goes_on:
                request = self._request("GET", urljoin(here, html.unescape(goes_on[1])))
            elif answer.is_success and 'value="authorize"' in answer.text:
                request = self._authorize(answer.text)
            else:
                return Shown(answer.status_code, answer.text, hosts)
        raise AssertionError(f"{url} leads round in circles: {hosts}")

    def _authorize(self, page: str) -> httpx.Request:
        """Fill in GitHub's page, which is asked to act for this person."""
        fields = {name: html.unescape(value) for name, value in _HIDDEN.findall(page)}
        form = fields | {"person": self._person, "decision": "authorize"}
        return self._request("POST", f"{self._installation.github_url}/login/oauth/authorize", form)

    def _request(self, method: str, url: str, form: dict[str, str] | None = None) -> httpx.Request:
        """To the load balancer, whichever of its names the address has: not every resolver knows *.localhost."""
        parts = urlsplit(url)
        headers = NAVIGATION | {"Host": parts.netloc}
        if cookies := self._cookies.get(parts.netloc):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if form is not None:
            headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
        if str(parts.hostname).endswith(self._installation.uat_domain):
            balancer = urlsplit(self._installation.proxy_url)
            parts = parts._replace(scheme=balancer.scheme, netloc=balancer.netloc)
        return self._http.build_request(method, parts.geturl(), headers=headers, data=form)

    def _keep_cookies(self, host: str, answer: httpx.Response) -> None:
        for line in answer.headers.get_list("Set-Cookie"):
            for name, cookie in SimpleCookie(line).items():
                self._cookies.setdefault(host, {})[name] = cookie.coded_value
