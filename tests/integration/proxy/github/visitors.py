"""Visitors of a proxy in mode `github`: browsers without a window, and the people in front of them."""

from __future__ import annotations

import html
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import websockets
from tests.integration.proxy.visitor import ACCESS_COOKIE, GATED, NAVIGATION, access_token

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy
    from websockets.asyncio.server import ServerConnection

    from local_github.testing import Server

DOMAIN = "uat.localhost"  # browsers resolve it by themselves, and take Secure cookies from it without TLS
CALLBACK = f"http://sign-in.{DOMAIN}:8080/callback"
HOUR = 60 * 60
PROGRAM = {"Accept": "application/json"}
ASKED_FOR = "/a/b%20c?d=e%26f&g"


def mode(github: Server, **changed: str) -> dict[str, str]:
    client = {name: github.credentials[name] for name in ("client_id", "client_secret")}
    return {
        **GATED,
        "UAT_ACCESS": "github",
        "UAT_DOMAIN": DOMAIN,
        "UAT_SIGN_IN": json.dumps(client),
        "GITHUB_URL": github.url,
        "GITHUB_API_URL": github.api_url,
        **changed,
    }


def new_person(api: httpx.Client) -> str:
    login = f"p-{secrets.token_hex(4)}"
    api.post("/admin/users", json={"login": login}).raise_for_status()
    return login


def new_repository(api: httpx.Client) -> str:
    """A private one; returns its full name."""
    answer = api.post("/orgs/acme/repos", json={"name": f"app-{secrets.token_hex(4)}", "private": True})
    return str(answer.raise_for_status().json()["full_name"])


def new_reader(api: httpx.Client, repository: str) -> str:
    """A person who may read the repository."""
    login = new_person(api)
    api.put(f"/repos/{repository}/collaborators/{login}", json={"permission": "pull"}).raise_for_status()
    return login


def plan_fault(api: httpx.Client, **fault: Any) -> None:  # noqa: ANN401 - JSON
    api.post("/admin/faults", json=fault).raise_for_status()


def forget_faults(api: httpx.Client) -> None:
    api.delete("/admin/faults").raise_for_status()


def take_away(api: httpx.Client, repository: str, person: str) -> None:
    api.delete(f"/repos/{repository}/collaborators/{person}").raise_for_status()


@dataclass
class Visitor:
    """A browser without a window: it keeps each host's cookies and follows redirects one at a time."""

    github: Server
    proxy: Proxy
    person: str
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    async def ask(
        self, url: str, method: str = "GET", headers: dict[str, str] | None = None, content: bytes | None = None
    ) -> httpx.Response:
        """Send one request to the proxy, whatever the host of the address is."""
        parts = urlsplit(url)
        kept = self.cookies.setdefault(parts.netloc, {})
        sent = {"Host": parts.netloc, **(NAVIGATION if headers is None else headers)}
        if kept:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
        target = f"{self.proxy.url}{parts.path}{'?' * bool(parts.query)}{parts.query}"
        async with httpx.AsyncClient(trust_env=False, timeout=15) as client:
            response = await client.request(method, target, headers=sent, content=content)
        for cookie in response.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            kept[name] = value
        return response

    async def at_github(self, url: str, decision: str = "authorize") -> str:
        """Fill in GitHub's page; return where it leads."""
        async with httpx.AsyncClient(timeout=15) as client:
            page = await client.get(url)
            fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text))
            form = {name: html.unescape(value) for name, value in fields.items()}
            form |= {"person": self.person, "decision": decision}
            headers = {"Origin": self.github.url}
            answer = await client.post(f"{self.github.url}/login/oauth/authorize", data=form, headers=headers)
        found = re.search(r'content="0;url=([^"]*)"', answer.text)
        assert found, answer.text
        return html.unescape(found.group(1))

    async def returns(self, session_id: str, path: str = "/", decision: str = "authorize") -> str:
        """Go to the session, to GitHub and back; return the address of the session's callback."""
        return await self._returns_from_github(await self.ask(address(session_id, path)), decision)

    async def comes_back(self, sent_away: httpx.Response) -> httpx.Response:
        """Go on to GitHub from an answer that leads there, and back to the session."""
        return await self.ask(await self._returns_from_github(sent_away, "authorize"))

    async def _returns_from_github(self, sent_away: httpx.Response, decision: str) -> str:
        assert sent_away.status_code == 303, sent_away.text
        returned = await self.at_github(sent_away.headers["location"], decision)
        assert returned.startswith(f"{CALLBACK}?")
        forwarded = await self.ask(returned)
        assert forwarded.status_code == 303
        return str(forwarded.headers["location"])

    async def signs_in(self, session_id: str, path: str = "/") -> httpx.Response:
        return await self.ask(await self.returns(session_id, path))

    def lets_an_hour_pass(self, session_id: str) -> None:
        """Show what a browser has after an hour: an access cookie that is over, and the renewal cookie."""
        self.of(session_id)[ACCESS_COOKIE] = access_token(session_id, seconds=-1)

    def of(self, session_id: str) -> dict[str, str]:
        return self.cookies[host(session_id)]


def host(session_id: str) -> str:
    return f"{session_id}.{DOMAIN}:8080"


def address(session_id: str, path: str = "/") -> str:
    return f"http://{host(session_id)}{path}"


async def greet(connection: ServerConnection) -> None:
    await connection.send("hello")


def open_websocket(visitor: Visitor, session_id: str) -> websockets.connect:
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.of(session_id).items())
    uri = address(session_id).replace("http", "ws")
    return websockets.connect(uri, additional_headers={"Cookie": cookies}, host=visitor.proxy.address, port=8080)


@dataclass
class Requests:
    """What is asked of GitHub from here on."""

    api: httpx.Client
    since: int = 0

    def __post_init__(self) -> None:
        self.since = max(entry["id"] for entry in self._entries())

    def routes(self) -> list[str]:
        return [f"{entry['method']} {entry['route']}" for entry in self._entries()]

    def _entries(self) -> list[dict[str, Any]]:
        return list(self.api.get("/admin/requests", params={"since": self.since}).json()["requests"])
