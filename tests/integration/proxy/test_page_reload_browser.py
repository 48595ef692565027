"""Nobody reloads by hand: pages of a dev server without live reload, in Chromium, before the real proxy."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.conftest import Proxy, SessionsTable, Upstream, host_of
from tests.integration.proxy.test_pages_in_browser import Browser, chromium
from tests.kit.chromium import needs_chromium, visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.proxy.conftest import StartUpstream

pytestmark = needs_chromium

SESSION_ID = "5e551045"
STRICT = "default-src 'none'; script-src 'nonce-a1b2c3' 'strict-dynamic'; base-uri 'none'; form-action 'none'"
NOTICE = "document.querySelector('body > div[role=status]')?.shadowRoot === null"
FORM = "<form onsubmit='return false'><input id=name autofocus><button>Save</button></form>"


@dataclass
class App:
    """A server-rendered application: its page says which version of its files it was made of."""

    version: int = 1
    body: str = ""
    headers: str = ""
    compresses: bool = False
    upstream: Upstream = field(init=False)

    async def respond(self, head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        page = f"<!doctype html><title>Shop</title><h1>Version {self.version}</h1>{self.body}".encode()
        headers = f"Content-Type: text/html\r\n{self.headers}"
        if self.compresses and b"gzip" in head:
            page, headers = gzip.compress(page), f"{headers}Content-Encoding: gzip\r\n"
        writer.write(f"HTTP/1.0 200 OK\r\n{headers}\r\n".encode())
        for start in range(0, len(page), 40):  # as it is made, and without a length
            writer.write(page[start : start + 40])
            await writer.drain()
            await asyncio.sleep(0.05)

    @property
    def loads(self) -> int:
        return sum(head.startswith(b"GET / ") for head in self.upstream.requests)


class Session:
    """A session with such an application, and a visitor who looks at it."""

    def __init__(self, table: SessionsTable, browser: Browser, app: App) -> None:
        self.browser = browser
        self._table = table
        self._app = app
        self._row()

    def turn(self) -> None:
        """Change a file, as a turn does."""
        self._app.version += 1
        self._row()

    def _row(self) -> None:
        self._table.put(id=SESSION_ID, ip=self._app.upstream.address, port=3000, page_revision=self._app.version)

    async def type(self, text: str) -> None:
        box = self.browser.driver.find_element("id", "name")
        await asyncio.to_thread(box.send_keys, text)


@pytest.fixture(scope="module")
def shared(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    profile, trusted = tmp_path_factory.mktemp("profile"), f"http://{host_of(SESSION_ID)}"
    with chromium(proxy, profile, trusted=trusted, has_visitors=True) as running:
        yield running


@pytest.fixture
def trusting(shared: Browser) -> Iterator[Browser]:
    """A browser that takes the session's address for one over https, as it is, and says what it asks for."""
    with visitor(shared.driver):
        yield shared


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(App(), id="streamed without a length"),
        pytest.param(App(compresses=True), id="compressed for who accepts it"),
        pytest.param(App(headers=f"Content-Security-Policy: {STRICT}\r\n"), id="a strict policy"),
    ],
)
async def test_an_open_page_shows_each_change_by_itself(
    trusting: Browser, table: SessionsTable, start_upstream: StartUpstream, app: App
) -> None:
    app.upstream = await start_upstream(app.respond)
    session = Session(table, trusting, app)
    await trusting.open(SESSION_ID, "/")
    await trusting.shows("Version 1")
    for version in (2, 3):
        session.turn()
        await trusting.shows(f"Version {version}")

    await asyncio.sleep(3)
    assert app.loads == 3, "and none without a change"
    assert trusting.complaints() == []


async def test_what_a_visitor_has_entered_is_kept_until_they_reload_or_submit_it(
    trusting: Browser, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    app = App(body=FORM)
    app.upstream = await start_upstream(app.respond)
    session = Session(table, trusting, app)
    await trusting.open(SESSION_ID, "/")
    await trusting.shows("Version 1")
    await session.type("Ada")

    session.turn()
    async with asyncio.timeout(20):
        while not await trusting.run(NOTICE):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await trusting.run("document.querySelector('#name').value") == "Ada"
    assert app.loads == 1

    await asyncio.to_thread(trusting.driver.find_element("css selector", "form button").click)
    await trusting.shows("Version 2")


async def test_a_page_that_follows_changes_itself_is_left_to_do_so(
    trusting: Browser, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    app = App(body='<script type="module" src="/@vite/client"></script>')
    app.upstream = await start_upstream(app.respond)
    session = Session(table, trusting, app)
    await trusting.open(SESSION_ID, "/")
    await trusting.shows("Version 1")

    session.turn()
    await asyncio.sleep(5)

    assert app.loads == 1
