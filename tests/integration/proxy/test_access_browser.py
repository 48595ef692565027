"""Entry links and the wall between sessions, as a real browser meets them: the headers are its own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
import websockets
from selenium import webdriver
from selenium.webdriver.common.by import By
from tests.integration.proxy.visitor import ACCESS_COOKIE, GATED, entry_token
from tests.kit.chromium import FLAGS
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy
    from websockets.asyncio.server import ServerConnection

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

PAGE = b"<!doctype html><title>the dev server</title><h1>shown</h1>"
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


@pytest.fixture
def gated(start_proxy: StartProxy) -> Iterator[Proxy]:
    with start_proxy(**GATED, UAT_DOMAIN="uat.localhost") as running:
        yield running


@pytest.fixture
def browser(gated: Proxy, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}", f"--host-resolver-rules=MAP *.localhost {gated.address}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(10)
    try:
        yield driver
    finally:
        driver.quit()


def origin(session_id: str) -> str:
    return f"http://{session_id}.uat.localhost:8080"


def link(session_id: str) -> str:
    return f"{origin(session_id)}/.uat/enter?token={entry_token(session_id)}"


async def test_a_link_opens_its_session_and_no_other(
    browser: webdriver.Chrome, table: SessionsTable, dev_servers: tuple[DevServer, DevServer]
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
    browser: webdriver.Chrome, table: SessionsTable, dev_servers: tuple[DevServer, DevServer]
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
