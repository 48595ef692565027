"""Visitors of a sign-in without a proxy around it, and what they and the operator do at GitHub."""

from __future__ import annotations

import asyncio
import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from cloud_agent_proxy.sign_in.github_sign_in import RENEWAL_COOKIE, GitHubSignIn
from cloud_agent_proxy.sign_in.results import Failed, Granted, Redirect, Refused, Renewed, SignInNeeded

if TYPE_CHECKING:
    from local_github.testing import Server

DOMAIN = "uat.example.test"
CALLBACK = f"https://sign-in.{DOMAIN}/callback"
KEY, OTHER_KEY = "first-key" * 4, "other-key" * 4
SESSION, UNKNOWN_SESSION = "09e22a8b", "deadbeef"
ORIGIN = f"https://{SESSION}.{DOMAIN}"


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def plan_fault(api: httpx.Client, **fault: Any) -> None:  # noqa: ANN401 - JSON
    api.post("/admin/faults", json=fault).raise_for_status()


def shut_out(api: httpx.Client, repository: str, person: str) -> None:
    api.delete(f"/repos/{repository}/collaborators/{person}").raise_for_status()


def exchange(server: Server, code: str) -> dict[str, Any]:
    """Exchange a code as one who has all but the verifier."""
    client = {name: server.credentials[name] for name in ("client_id", "client_secret")}
    form = {**client, "code": code, "redirect_uri": CALLBACK}
    url, headers = f"{server.url}/login/oauth/access_token", {"Accept": "application/json"}
    return dict(httpx.post(url, data=form, headers=headers).json())


def revoke(server: Server, token: str) -> None:
    client = (server.credentials["client_id"], server.credentials["client_secret"])
    url = f"{server.api_url}/applications/{client[0]}/token"
    httpx.request("DELETE", url, json={"access_token": token}, auth=client).raise_for_status()


@dataclass
class Browser:
    """What a visitor's browser does: it keeps cookies of the session's host, and fills in GitHub's page."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)

    def at_github(self, url: str, person: str, decision: str = "authorize") -> str:
        """Open GitHub's page, send its form and return where that leads."""
        page = httpx.get(url)
        assert page.status_code == 200, page.text
        fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text))
        form = {name: html.unescape(value) for name, value in fields.items()}
        form |= {"person": person, "decision": decision}
        headers = {"Origin": self.server.url}
        answer = httpx.post(f"{self.server.url}/login/oauth/authorize", data=form, headers=headers)
        found = re.search(r'content="0;url=([^"]*)"', answer.text)
        assert found, answer.text
        return html.unescape(found.group(1))

    def keep(self, result: Redirect | Granted | Renewed) -> None:
        cookie = result.cookie if isinstance(result, Redirect) else result.renewal
        if cookie:
            self.cookies[cookie.name] = cookie.value


@dataclass
class Proxy:
    """The sign-in as one proxy task has it."""

    sign_in: GitHubSignIn

    async def visit(self, browser: Browser, person: str, decision: str = "authorize") -> dict[str, str]:
        """Take a visitor to GitHub and back to the session's host; return what GitHub sent along."""
        begun = self.sign_in.begin(SESSION, ORIGIN, "/path?a=1", browser.cookies)
        browser.keep(begun)
        returned = await asyncio.to_thread(browser.at_github, begun.url, person, decision)
        assert returned.startswith(CALLBACK + "?")
        forwarded = self.sign_in.forward(f"https://sign-in.{DOMAIN}", query_of(returned))
        assert isinstance(forwarded, Redirect)
        assert forwarded.url.startswith(f"{ORIGIN}/.uat/callback?")
        return query_of(forwarded.url)

    async def signed_in(self, browser: Browser, person: str) -> Granted | Refused | Failed:
        query = await self.visit(browser, person)
        result = await self.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)
        if isinstance(result, Granted):
            browser.keep(result)
        return result


async def renewed(proxy: Proxy, browser: Browser) -> Renewed | SignInNeeded | Failed:
    result = await proxy.sign_in.renew(SESSION, browser.cookies[RENEWAL_COOKIE])
    if isinstance(result, Renewed):
        browser.keep(result)
    return result
