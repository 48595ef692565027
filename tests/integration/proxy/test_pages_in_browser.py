"""What a person sees and need not do: the pages in Chromium, before the real proxy."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.common.exceptions import WebDriverException
from tests.integration.proxy.conftest import DOMAIN, Proxy, SessionsTable, StartProxy, StartUpstream, host_of
from tests.kit import chromium as kit
from tests.kit.chromium import needs_chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from selenium import webdriver

pytestmark = needs_chromium

DEV_PAGE = b"<!doctype html><title>dev page</title><h1>It works</h1>"
NO_SCRIPTS = {"profile.managed_default_content_settings.javascript": 2}
QUESTIONS = "return performance.getEntriesByName(location.origin + '/.uat/stage').length"
MOVED = """
const done = arguments[0];
new PerformanceObserver((list) => done(list.getEntries().flatMap(
  ({sources}) => sources.map(({node}) => (node.closest("main > *") ?? node).tagName))))
  .observe({type: "layout-shift", buffered: true});
setTimeout(() => done([]), 1000);
"""
WHERE = "/board/7?tab=a%20b&x=1#line-3"


def http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Browser:
    """Chromium, whose waits leave the event loop to the dev servers."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    async def open(self, session_id: str, path: str = WHERE) -> str:
        url = f"http://{host_of(session_id)}{path}"
        await asyncio.to_thread(self.driver.get, url)
        return url

    async def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the script returns
        return await asyncio.to_thread(self.driver.execute_script, f"return {script}")

    async def text(self) -> str:
        return str(await self.run("document.body.innerText"))

    async def until(self, true: Callable[[str], bool], what: str, seconds: float = 20) -> None:
        deadline, text = time.monotonic() + seconds, ""
        while time.monotonic() < deadline:
            with contextlib.suppress(WebDriverException):  # the page is just being left
                text = await self.text()
                if true(text):
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"after {seconds} s still not so: {what}; the page says: {text}")

    async def shows(self, words: str) -> None:
        await self.until(lambda text: words in text, f"the page shows {words!r}")

    def complaints(self) -> list[str]:
        """What the console says, but for answers that are no success."""
        lines = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium does not annotate it
        return [line["message"] for line in lines if "Failed to load resource" not in line["message"]]

    async def questions(self) -> int:
        """How often the page has asked for the session's status."""
        return int(await asyncio.to_thread(self.driver.execute_script, QUESTIONS))


@contextlib.contextmanager
def chromium(  # noqa: PLR0913 - what a browser can be
    proxy: Proxy,
    profile: Path,
    *,
    domain: str = DOMAIN,
    trusted: str = "",
    preferences: Mapping[str, int] | None = None,
    has_visitors: bool = False,
) -> Iterator[Browser]:
    """Give a browser of its own; it takes the origin `trusted` for one over https."""
    flags = (
        f"--host-resolver-rules=MAP *.{domain} {proxy.address}",
        f"--unsafely-treat-insecure-origin-as-secure={trusted}",
    )
    with kit.chromium(profile, *flags, preferences=preferences, has_visitors=has_visitors) as driver:
        yield Browser(driver)


@pytest.fixture(scope="module")
def shared(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(proxy, tmp_path_factory.mktemp("profile"), has_visitors=True) as running:
        yield running


@pytest.fixture
def browser(shared: Browser) -> Iterator[Browser]:
    with kit.visitor(shared.driver):
        yield shared


async def test_a_starting_session_turns_into_its_dev_server_where_the_visitor_wanted_to_be(
    browser: Browser, table: SessionsTable, start_upstream: StartUpstream, unused_address: str
) -> None:
    upstream = await start_upstream(http(DEV_PAGE))
    session_id = table.put(status="STARTING", pull_number=7)
    url = await browser.open(session_id)
    await browser.shows("The session is starting")
    assert await browser.run("document.querySelector('.current b').textContent") == "Starting the container"
    table.put(id=session_id, status="STARTING", pull_number=7, start_token="reported")
    await browser.until(lambda text: "Connecting" in text and "take a minute" not in text, "the next step is shown")
    preview = {"state": "starting", "detail": "`npm ci` is running", "log": "added 12 packages"}
    table.put(id=session_id, ip=unused_address, port=3000, preview=preview)
    await browser.shows("The preview is starting")
    await browser.shows("added 12 packages")
    table.put(id=session_id, ip=unused_address, port=3000, preview=preview | {"state": "failed", "log": "ERESOLVE"})
    await browser.shows("The preview isn't running")
    await browser.shows("ERESOLVE")
    table.put(id=session_id, ip=upstream.address, port=3000, preview={"state": "live"})
    await browser.shows("It works")
    assert url == browser.driver.current_url
    assert [head.splitlines()[0] for head in upstream.requests if head.startswith(b"GET /board")] == [
        b"GET /board/7?tab=a%20b&x=1 HTTP/1.1"
    ]


async def test_what_claude_does_is_beside_the_broken_hop_and_the_page_returns_when_it_is_fixed(
    browser: Browser, table: SessionsTable, start_upstream: StartUpstream, unused_address: str
) -> None:
    hostile = "<img src=x onerror=\"document.title='owned'\">"
    session_id = table.put(
        ip=unused_address,
        port=3000,
        pull_url="https://github.example/owner/repo/pull/7",
        preview={"state": "live", "log": f"\x1b[31mSyntaxError\x1b[0m {hostile}"},
    )
    url = await browser.open(session_id)
    await browser.shows("isn't listening: the container refuses connections on port 3000")
    where = urlsplit(browser.driver.current_url)
    assert (where.path, parse_qs(where.query)) == ("/.uat/", {"return_to": [WHERE]})
    text = await browser.text()
    assert f"SyntaxError {hostile}" in text
    assert "The dev server isn't responding" in text
    assert "Preview · not responding" in text
    assert "Claude's work appears here" in await browser.run("document.getElementById('nothing').textContent")
    assert browser.driver.title == f"Session {session_id} · Running"
    assert browser.complaints() == []
    await asyncio.sleep(2)  # in which the session's row says that the preview is live
    assert "isn't listening" in await browser.text()
    await start_upstream(http(DEV_PAGE), unused_address)
    await browser.shows("It works")
    assert url == browser.driver.current_url
    assert await browser.run("history.length") <= 2


async def test_a_session_that_ends_while_its_dev_server_is_awaited_says_so(
    browser: Browser, table: SessionsTable, unused_address: str
) -> None:
    session_id = table.put(ip=unused_address, port=3000)
    await browser.open(session_id)
    await browser.shows("isn't listening")
    table.put(id=session_id, status="STOPPED", end_reason="By a test.")
    await browser.shows("The session has stopped")
    await browser.shows("By a test.")


async def test_until_the_control_plane_responds_the_small_page_stays(
    start_proxy: StartProxy, tmp_path: Path, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def close(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    session_id = table.put(ip=(await start_upstream(close)).address, port=3000)
    with start_proxy() as proxy, chromium(proxy, tmp_path) as browser:
        await browser.open(session_id)
        await browser.shows("closes connections to port 3000")
        proxy.signal(signal.SIGSTOP)
        await browser.open(session_id)
        await browser.shows("The dev server isn't responding")
        await asyncio.sleep(3)
        assert browser.driver.current_url.endswith(WHERE)
        assert await browser.run("document.querySelector('#conversation')") is None
        proxy.signal(signal.SIGCONT)
        await browser.shows("closes connections to port 3000")
        assert "/.uat/?return_to=" in browser.driver.current_url


async def test_what_was_sent_is_not_sent_again(
    browser: Browser, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    broken = False

    async def respond(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        form = b'<form method="post" action="/save"><input name="a" value="b"></form>'
        writer.write(b"gone mad\r\n\r\n" if broken or head.startswith(b"POST") else http(form))

    upstream = await start_upstream(respond)
    await browser.open(table.put(ip=upstream.address, port=3000))
    broken = True
    await browser.run("document.forms[0].submit()")
    await browser.shows("responds on port 3000, but not with HTTP")
    assert "go back and send it again then" in await browser.text()
    broken = False
    await browser.shows("The session is live")
    assert browser.driver.current_url.endswith("/save")
    assert sum(head.startswith(b"POST /save") for head in upstream.requests) == 1
    assert not any(head.startswith(b"GET /save") for head in upstream.requests)


async def test_an_address_that_breaks_each_time_is_not_opened_in_a_loop(
    browser: Browser, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def respond(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"gone mad\r\n\r\n" if head.startswith(b"GET /board") else http(DEV_PAGE))

    upstream = await start_upstream(respond)
    await browser.open(table.put(ip=upstream.address, port=3000))
    await asyncio.sleep(5)
    # at once, then 2, 4, 8 s after the page before: three by now; a loop would have made dozens
    assert 2 <= sum(head.startswith(b"GET /board") for head in upstream.requests) <= 3


async def test_an_address_that_takes_the_dev_server_down_each_time_is_not_opened_in_a_loop(
    browser: Browser, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    """It's back half a second later: the way leads by the session's page and back, each time after a longer pause."""
    opened: list[float] = []

    async def respond(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if head.startswith(b"GET /board"):
            opened.append(time.monotonic())
        is_down = opened and time.monotonic() < opened[-1] + 0.5
        writer.write(b"gone mad\r\n\r\n" if is_down else http(DEV_PAGE))

    upstream = await start_upstream(respond)
    await browser.open(table.put(ip=upstream.address, port=3000))
    await browser.until(lambda _: len(opened) > 3, "it's been opened four times", seconds=60)
    _, second, third = (later - earlier for earlier, later in pairwise(opened[:4]))
    assert (second >= 2, third >= 4) == (True, True)  # the pauses before it is opened again


async def test_a_page_says_that_the_session_has_ended_and_asks_no_more(browser: Browser, table: SessionsTable) -> None:
    session_id = table.put(status="STARTING")
    await browser.open(session_id)
    table.put(id=session_id, status="FAILED", end_reason="The install command failed: " + "y" * 400)
    await browser.shows("The session has failed")
    assert "The install command failed" in await browser.text()
    assert "/restart" in await browser.text()
    asked = await browser.questions()
    await asyncio.sleep(3)
    assert asked == await browser.questions()


async def test_a_page_that_nobody_looks_at_asks_nothing_until_somebody_does(
    browser: Browser, table: SessionsTable, unused_address: str
) -> None:
    await browser.open(table.put(ip=unused_address, port=3000))
    await browser.shows("The dev server isn't responding")
    await asyncio.to_thread(browser.driver.minimize_window)
    await browser.until(lambda _: bool(browser.driver.execute_script("return document.hidden")), "it is hidden")
    await asyncio.sleep(0.5)  # a question may be under way
    asked = await browser.questions()
    await asyncio.sleep(5)
    assert asked == await browser.questions()
    await asyncio.to_thread(browser.driver.set_window_rect, 0, 0, 800, 600)
    await browser.until(lambda _: browser.driver.execute_script(QUESTIONS) > asked, "it asks again")


async def test_without_scripts_the_page_comes_back_all_the_same(
    proxy: Proxy, tmp_path: Path, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(http(DEV_PAGE))
    session_id = table.put(status="STARTING")
    with chromium(proxy, tmp_path, preferences=NO_SCRIPTS) as browser:
        url = await browser.open(session_id, "/board/7?x=1")  # Chromium refreshes no address that has a hash
        await browser.shows("The session is starting")
        table.put(id=session_id, ip=upstream.address, port=3000)
        await browser.shows("It works")
        assert url == browser.driver.current_url


@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_jumps_when_the_details_come(
    browser: Browser, table: SessionsTable, unused_address: str, width: int
) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 1000}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    # So slow that a page is on the screen before all of it is there: the session's is 38 kB.
    slow = {"offline": False, "latency": 0, "downloadThroughput": 30_000, "uploadThroughput": -1}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    details = {"pull_url": "https://github.example/1", "preview": {"state": "live", "log": "SyntaxError\n" * 9}}
    await browser.open(table.put(ip=unused_address, port=3000, **details))
    await browser.shows("isn't listening")
    await asyncio.sleep(0.5)  # until they are on the screen
    assert {"FOOTER"} >= set(await asyncio.to_thread(browser.driver.execute_async_script, MOVED))


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_no_word_is_too_long_for_the_page(browser: Browser, table: SessionsTable, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 1000}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for row in (
        {"status": "FAILED", "end_reason": "y" * 400},
        {"status": "RUNNING", "preview": {"state": "failed", "detail": "z" * 500, "log": "x" * 4000}},
    ):
        await browser.open(table.put(**row))
        assert await browser.run("document.documentElement.scrollWidth") <= width
