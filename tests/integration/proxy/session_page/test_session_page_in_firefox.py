"""The session's page in Firefox: it follows a session there as it does in Chromium."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.conftest import host_of
from tests.integration.proxy.session_page.scenarios import CUT_STREAMS, loses_and_doubles_nothing, shows_text_as_text
from tests.integration.proxy.test_pages_in_browser import http
from tests.kit.firefox import PROGRAM, firefox
from tests.kit.transcripts import Script, sample, sample_row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, StartUpstream
    from tests.integration.proxy.session_page.conftest import Recorder

pytestmark = pytest.mark.skipif(not PROGRAM, reason="needs Firefox: apt-get install firefox-esr")

ENTRIES = "document.querySelectorAll('.entry').length"


async def test_an_open_page_follows_the_session_and_keeps_what_was_opened(
    proxy: Proxy, recorder: Recorder, start_upstream: StartUpstream, tmp_path: Path
) -> None:
    upstream = await start_upstream(http(b"<!doctype html><title>app</title><h1>The app</h1>"))
    script = Script()
    script.tool("Bash", {"command": "make"}, None)
    session_id = recorder.put(script.batches(), ip=upstream.address, port=3000, **sample_row())
    async with firefox(tmp_path, proxy.address) as browser:
        await browser.open(f"http://{host_of(session_id)}/.uat/")
        await browser.run("document.querySelector('.call').open = true")
        script.add("tool_result", id="toolu_0", is_error=False, text="made it")
        script.message("All done.")
        recorder.extend(session_id, script.batches(first=1), known=1)
        await browser.shows("All done.")
        await browser.shows("made it")
        assert await browser.run(ENTRIES) == 2
        assert await browser.run("document.getElementById('now').textContent") == "Claude: All done."
        assert browser.complaints == []


async def test_whatever_comes_is_text_and_none_of_it_is_lost_or_doubled_when_connections_are_cut(
    proxy: Proxy,
    recorder: Recorder,
    start_upstream: StartUpstream,
    haproxy_command: HaproxyCommand,
    tmp_path: Path,
) -> None:
    """Both in one browser, which takes a while to start."""
    upstreams = [await start_upstream(http(b"<!doctype html><title>app</title>")) for _ in range(2)]
    texts, cuts = (recorder.put([], ip=one.address, port=3000, **sample_row()) for one in upstreams)
    async with firefox(tmp_path, proxy.address) as browser:
        await browser.open(f"http://{host_of(texts)}/.uat/")
        await shows_text_as_text(browser, recorder, texts)
        assert browser.complaints == []
        await browser.open(f"http://{host_of(cuts)}/.uat/")
        await loses_and_doubles_nothing(browser, recorder, cuts, partial(haproxy_command, proxy, CUT_STREAMS))


async def test_nothing_is_wider_than_a_phone(proxy: Proxy, recorder: Recorder, tmp_path: Path) -> None:
    script = sample()
    script.message("x" * 3_000)
    script.add("log", source="install", text="l" * 3_000)
    session_id = recorder.put(script.batches(), **sample_row())
    async with firefox(tmp_path, proxy.address) as browser:
        await browser.open(f"http://{host_of(session_id)}/.uat/", width=390)
        for view in ("conversation", "details"):
            await browser.run(f"document.querySelector('[data-show={view}]').click()")
            await browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert await browser.run("document.documentElement.scrollWidth") <= 390
