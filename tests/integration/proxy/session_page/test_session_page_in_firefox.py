"""The session's page in Firefox: it does there what it does in Chromium, as far as browsers can differ in it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.conftest import host_of
from tests.integration.proxy.session_page.scenarios import (
    AXE,
    CUT_STREAMS,
    EVERYTHING_OPEN,
    VIEWS,
    has_no_violations,
    loses_and_doubles_nothing,
    says_who_else_is_looking,
    shows_text_as_text,
    write_page,
)
from tests.integration.proxy.test_pages_in_browser import http
from tests.kit.firefox import PROGRAM, firefox, running_firefox
from tests.kit.transcripts import Script, sample, sample_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, StartUpstream, Upstream
    from tests.integration.proxy.session_page.conftest import Recorder
    from tests.kit.firefox import Firefox, Tab

pytestmark = pytest.mark.skipif(not PROGRAM, reason="needs Firefox: apt-get install firefox-esr")

ENTRIES = "document.querySelectorAll('.entry').length"


@pytest.fixture(scope="module")
def running(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The one Firefox of all these tests: it takes a while to start."""
    with running_firefox(tmp_path_factory.mktemp("firefox"), proxy.address) as url:
        yield url


@pytest.fixture
async def browser(running: str) -> AsyncIterator[Firefox]:
    async with firefox(running) as session:
        yield session


@pytest.fixture
async def page(browser: Firefox) -> AsyncIterator[Tab]:
    async with browser.visitor() as tab:
        yield tab


@pytest.fixture
async def app(start_upstream: StartUpstream) -> Upstream:
    """A dev server: Firefox takes a preview that can't be framed for a page that can't be opened."""
    return await start_upstream(http(b"<!doctype html><title>app</title><h1>The app</h1>"))


def address(session_id: str) -> str:
    return f"http://{host_of(session_id)}/.uat/"


async def test_an_open_page_follows_the_session_and_keeps_what_was_opened(
    browser: Firefox, page: Tab, recorder: Recorder, app: Upstream
) -> None:
    script = Script()
    script.tool("Bash", {"command": "make"}, None)
    session_id = recorder.put(script.batches(), ip=app.address, port=3000, **sample_row())
    await page.open(address(session_id))
    await page.run("document.querySelector('.call').open = true")
    script.add("tool_result", id="toolu_0", is_error=False, text="made it")
    script.message("All done.")
    recorder.extend(session_id, script.batches(first=1), known=1)
    await page.shows("All done.")
    await page.shows("made it")
    assert await page.run(ENTRIES) == 2
    assert await page.run("document.getElementById('now').textContent") == "Claude: All done."
    assert browser.complaints == []


async def test_two_visitors_see_the_same_and_that_they_are_two(
    browser: Firefox, page: Tab, recorder: Recorder, app: Upstream
) -> None:
    session_id = recorder.put([], ip=app.address, port=3000, **sample_row())
    await page.open(address(session_id))
    async with browser.visitor() as other:
        await other.open(address(session_id))
        await says_who_else_is_looking(page, other, recorder, session_id)
    await page.until(lambda text: "people are looking" not in text, "the other one has left")


async def test_whatever_comes_is_text(browser: Firefox, page: Tab, recorder: Recorder, app: Upstream) -> None:
    session_id = recorder.put([], ip=app.address, port=3000, **sample_row())
    await page.open(address(session_id))
    await shows_text_as_text(page, recorder, session_id)
    assert browser.complaints == []


async def test_nothing_is_lost_or_doubled_when_connections_are_cut(
    page: Tab, proxy: Proxy, recorder: Recorder, app: Upstream, haproxy_command: HaproxyCommand
) -> None:
    session_id = recorder.put([], ip=app.address, port=3000, **sample_row())
    await page.open(address(session_id))
    await loses_and_doubles_nothing(page, recorder, session_id, partial(haproxy_command, proxy, CUT_STREAMS))


async def test_nothing_is_wider_than_a_phone(page: Tab, recorder: Recorder) -> None:
    script = sample()
    script.message("x" * 3_000)
    script.add("log", source="install", text="l" * 3_000)
    await page.open(address(recorder.put(script.batches(), **sample_row())), width=390)
    for view in ("conversation", "details"):
        await page.run(f"document.querySelector('[data-show={view}]').click()")
        await page.run(EVERYTHING_OPEN)
        assert await page.run("document.documentElement.scrollWidth") <= 390


@pytest.mark.skipif(not AXE.exists(), reason="needs axe: make .node/.installed")
async def test_the_page_and_the_one_to_write_on_are_accessible(
    page: Tab, recorder: Recorder, app: Upstream, tmp_path: Path
) -> None:
    script = sample()
    script.turn_with_pictures("01K0M1Z0000000000000000009")
    session_id = recorder.put(script.batches(), ip=app.address, port=3000, **sample_row())
    for width in (1440, 390):
        await page.open(address(session_id), width)
        for view in VIEWS:
            await page.run(f"document.querySelector('[data-show={view}]').click()")
            await has_no_violations(page)
        for may_write in (True, False):
            await page.open(write_page(tmp_path, may_write=may_write), width)
            await has_no_violations(page)
