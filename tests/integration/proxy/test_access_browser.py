"""Entry links and the wall between sessions, as a real browser meets them: the headers are its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import websockets
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import url_contains
from selenium.webdriver.support.wait import WebDriverWait
from tests.integration.proxy.visitor import ACCESS_COOKIE, GATED, NAVIGATION, access_token, entry_token
from tests.kit.chromium import chromium, needs_chromium, visitor
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy
    from websockets.asyncio.server import ServerConnection

pytestmark = needs_chromium

PAGE = b"<!doctype html><title>the dev server</title><h1>shown</h1>"
GITHUB = {"UAT_ACCESS": "github", "GITHUB_URL": "http://127.0.0.1:9", "GITHUB_API_URL": "http://127.0.0.1:9"}
# Each ends with the browser's own word on how it went.
OPEN_WEBSOCKET = """
    const [url, done] = arguments, socket = new WebSocket(url);
    socket.onopen = () => done("open");
    socket.onerror = () => done("error");
"""
SEND = """
    const [url, options, done] = arguments;
    fetch(url, {mode: "no-cors", credentials: "include", ...options}).then(() => done("answered"), () => done("error"));
"""
# A form posts where fetch() doesn't: as a navigation, whose answer the visitor sees.
POST_FORM = """
    const form = document.createElement("form");
    [form.method, form.action] = ["post", arguments[0]];
    document.body.append(form);
    form.submit();
"""
# Read back at once, for which the browser first sets them all: a page that is asked for next could be faster.
SET_COOKIES = "for (const cookie of arguments) document.cookie = cookie; return document.cookie.length;"
FRAME = """
    const [url, done] = arguments, frame = document.createElement("iframe");
    frame.onload = () => done("loaded");
    frame.src = url;
    document.body.append(frame);
"""


@dataclass
class DevServer:
    address: str
    requests: list[Request] = field(default_factory=list)

    def answer(self, _: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if "Upgrade" in request.headers:
            return None
        headers = Headers({"Content-Type": "text/html", "Content-Length": str(len(PAGE))})
        return Response(HTTPStatus.OK, "OK", headers, PAGE)


async def hold(connection: ServerConnection) -> None:
    await connection.wait_closed()


@pytest.fixture
async def dev_servers(unused_address: str, another_unused_address: str) -> AsyncIterator[tuple[DevServer, DevServer]]:
    servers = DevServer(unused_address), DevServer(another_unused_address)
    async with contextlib.AsyncExitStack() as running:
        for server in servers:
            await running.enter_async_context(
                websockets.serve(hold, server.address, 3000, process_request=server.answer)
            )
        yield servers


@contextlib.contextmanager
def opened(proxy: Proxy, profile: Path, *, has_visitors: bool = False) -> Iterator[Chrome]:
    rules = f"--host-resolver-rules=MAP *.localhost {proxy.address}"
    with chromium(profile, rules, has_visitors=has_visitors) as driver:
        driver.set_script_timeout(10)
        yield driver


@pytest.fixture(scope="module")
def shared(start_proxy: StartProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with (
        start_proxy(**GATED, UAT_DOMAIN="uat.localhost") as gated,
        opened(gated, tmp_path_factory.mktemp("profile"), has_visitors=True) as driver,
    ):
        yield driver


@pytest.fixture
def browser(shared: Chrome) -> Iterator[Chrome]:
    with visitor(shared):
        yield shared


def origin(session_id: str) -> str:
    return f"http://{session_id}.uat.localhost:8080"


def link(session_id: str) -> str:
    return f"{origin(session_id)}/.uat/enter?token={entry_token(session_id)}"


async def test_a_link_opens_its_session_and_no_other(
    browser: Chrome, table: SessionsTable, dev_servers: tuple[DevServer, DevServer]
) -> None:
    mine, other = (table.put(ip=server.address, port=3000) for server in dev_servers)

    await asyncio.to_thread(browser.get, f"{link(mine)}&return_to=/a%3Fb=c")
    assert (f"{origin(mine)}/a?b=c", "the dev server") == (browser.current_url, browser.title)
    (cookie,) = browser.get_cookies()
    assert tuple(cookie[name] for name in ("name", "httpOnly", "secure", "sameSite")) == (
        ACCESS_COOKIE,
        True,
        True,
        "Lax",
    )
    assert browser.execute_script("return document.cookie") == ""
    assert (
        await asyncio.to_thread(
            browser.execute_async_script, OPEN_WEBSOCKET, f"{origin(mine).replace('http', 'ws')}/hmr"
        )
        == "open"
    )
    assert {"/a?b=c", "/hmr"} <= {request.path for request in dev_servers[0].requests}
    assert not [request for request in dev_servers[0].requests if "Cookie" in request.headers]

    await asyncio.to_thread(browser.get, origin(other))
    assert browser.find_element(By.TAG_NAME, "h1").text == "Open this session from its pull request"
    assert browser.get_cookies() == []
    assert dev_servers[1].requests == []


async def test_a_page_of_one_session_can_link_to_another_and_nothing_more(
    browser: Chrome, table: SessionsTable, dev_servers: tuple[DevServer, DevServer]
) -> None:
    attacking, attacked = (table.put(ip=server.address, port=3000) for server in dev_servers)
    for session_id in (attacked, attacking):
        await asyncio.to_thread(browser.get, link(session_id))
    dev_servers[1].requests.clear()

    target = f"{origin(attacked)}/target"
    for script, *arguments in (
        (OPEN_WEBSOCKET, target.replace("http", "ws")),
        (SEND, target, {}),
        (SEND, target, {"method": "POST", "body": "x"}),
        (SEND, target, {"mode": "cors"}),
        (FRAME, target),
    ):
        await asyncio.to_thread(browser.execute_async_script, script, *arguments)
    assert dev_servers[1].requests == []

    browser.execute_script(f"document.body.innerHTML = '<a href=\"{target}\">the other</a>'")
    await asyncio.to_thread(browser.find_element(By.TAG_NAME, "a").click)
    assert (target, "the dev server") == (browser.current_url, browser.title)
    assert "/target" in [request.path for request in dev_servers[1].requests]


async def test_a_page_of_one_session_posts_no_form_to_another(
    browser: Chrome, table: SessionsTable, dev_servers: tuple[DevServer, DevServer]
) -> None:
    attacking, attacked = (table.put(ip=server.address, port=3000) for server in dev_servers)
    await asyncio.to_thread(browser.get, link(attacked))
    dev_servers[1].requests.clear()

    for path in ("/target", "/.uat/status", "/.uat/enter?token=x", "/.uat/callback?code=x&state=y"):
        await asyncio.to_thread(browser.get, link(attacking))
        await asyncio.to_thread(browser.execute_script, POST_FORM, f"{origin(attacked)}{path}")
        await asyncio.to_thread(WebDriverWait(browser, 10).until, url_contains(attacked))
        assert browser.find_element(By.TAG_NAME, "h1").text == "Blocked a request from another session", path
    assert {request.path for request in dev_servers[1].requests} <= {"/favicon.ico"}  # of our own page, by the browser


async def test_cookies_for_all_sessions_replace_none_of_ours_but_reach_every_dev_server(
    browser: Chrome, table: SessionsTable, dev_servers: tuple[DevServer, DevServer]
) -> None:
    attacking, attacked = (table.put(ip=server.address, port=3000) for server in dev_servers)
    await asyncio.to_thread(browser.get, link(attacked))
    (ours,) = browser.get_cookies()
    await asyncio.to_thread(browser.get, link(attacking))
    for_all = "Domain=uat.localhost; Path=/; Secure"
    await asyncio.to_thread(
        browser.execute_script,
        SET_COOKIES,
        f"session=tossed; {for_all}",
        f"{ACCESS_COOKIE}=forged; {for_all}",
        f"{ACCESS_COOKIE.upper()}=forged; {for_all}",
        f"={ACCESS_COOKIE}=forged; {for_all}",
        f"{ACCESS_COOKIE}; {for_all}",
    )

    dev_servers[1].requests.clear()
    await asyncio.to_thread(browser.get, origin(attacked))
    assert browser.title == "the dev server"
    assert {cookie["name"]: cookie["value"] for cookie in browser.get_cookies()} == {
        ACCESS_COOKIE: ours["value"],
        "session": "tossed",  # as docs/proxy.md says: the proxy can't see it, and an app had better not trust it
    }
    assert {request.headers["Cookie"] for request in dev_servers[1].requests} == {"session=tossed"}


async def test_a_page_of_one_session_can_crowd_out_the_visitors_cookies_for_the_others(
    browser: Chrome, table: SessionsTable, dev_servers: tuple[DevServer, DevServer]
) -> None:
    """A limit that docs/proxy.md names: nobody gains access, and the visitor has to clear their cookies."""
    attacking, attacked = (table.put(ip=server.address, port=3000) for server in dev_servers)
    await asyncio.to_thread(browser.get, link(attacked))
    await asyncio.to_thread(browser.get, link(attacking))
    many = [f"m{number}=; Domain=uat.localhost; Path=/; Secure" for number in range(200)]
    await asyncio.to_thread(browser.execute_script, SET_COOKIES, *many)
    await asyncio.to_thread(browser.get, origin(attacked))
    assert browser.find_element(By.TAG_NAME, "h1").text == "Open this session from its pull request"

    await asyncio.to_thread(browser.get, link(attacking))
    large = [f"c{number}={'x' * 4_000}; Domain=uat.localhost; Path=/" for number in range(4)]
    await asyncio.to_thread(browser.execute_script, SET_COOKIES, *large)
    await asyncio.to_thread(browser.get, origin(attacked))
    assert browser.find_element(By.TAG_NAME, "h1").text == "400 Bad request"


async def test_a_visitor_is_not_signed_in_with_an_attackers_code(
    start_proxy: StartProxy,
    tmp_path: Path,
    table: SessionsTable,
    dev_servers: tuple[DevServer, DevServer],
) -> None:
    """Whoever begins a sign-in themselves and lets another finish it would have that one work in their name."""
    client = json.dumps({"client_id": "Iv23", "client_secret": "secret"})
    with (
        start_proxy(**GATED | GITHUB, UAT_SIGN_IN=client, UAT_DOMAIN="uat.localhost") as proxy,
        opened(proxy, tmp_path) as browser,
    ):
        attacking, attacked = (table.put(ip=server.address, port=3000) for server in dev_servers)
        async with httpx.AsyncClient() as attacker:
            began = await attacker.get(
                f"http://{proxy.address}:8080/", headers={"Host": f"{attacked}.uat.localhost", **NAVIGATION}
            )
        (state,) = parse_qs(urlsplit(began.headers["Location"]).query)["state"]
        (nonce,) = began.headers.get_list("Set-Cookie")

        await asyncio.to_thread(browser.get, f"{origin(attacking)}/.uat/none")
        browser.add_cookie({"name": ACCESS_COOKIE, "value": access_token(attacking), "path": "/", "secure": True})
        await asyncio.to_thread(browser.get, origin(attacking))
        assert browser.title == "the dev server"
        tossed = f"{nonce.partition(';')[0]}; Domain=uat.localhost; Path=/; Secure"
        await asyncio.to_thread(browser.execute_script, SET_COOKIES, tossed)
        for host in (attacked, "sign-in"):
            callback = f"{origin(host)}{'/.uat' if host == attacked else ''}/callback?code=attackers&state={state}"
            await asyncio.to_thread(browser.get, origin(attacking))
            await asyncio.to_thread(browser.execute_script, "location = arguments[0]", callback)
            await asyncio.to_thread(WebDriverWait(browser, 10).until, url_contains(attacked))
            assert browser.find_element(By.TAG_NAME, "h1").text == "This sign-in has expired"
            assert browser.get_cookies() == []
