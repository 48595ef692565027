"""The session's page in Chromium: what can be seen, by whom, and on which screen."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
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
from tests.integration.proxy.test_pages_in_browser import NO_SCRIPTS, Browser, chromium, http
from tests.kit.chromium import needs_chromium
from tests.kit.pictures import png
from tests.kit.transcripts import Script, sample, sample_history, sample_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, StartUpstream
    from tests.integration.proxy.session_page.conftest import Recorder

pytestmark = needs_chromium

ENTRIES = "document.querySelectorAll('.entry').length"
DEV_PAGE = b"<!doctype html><title>app</title><h1>The app</h1>"


@pytest.fixture(scope="module")
def browser(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(proxy, tmp_path_factory.mktemp("profile")) as running:
        yield running


def on_screen(browser: Browser, width: int, scheme: str = "light") -> None:
    size: dict[str, Any] = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 1000}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


async def test_the_preview_is_beside_the_conversation_and_on_a_phone_behind_a_tab(
    browser: Browser, recorder: Recorder, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(http(DEV_PAGE))
    session_id = recorder.put(sample().batches(), ip=upstream.address, port=3000, **sample_row())
    on_screen(browser, 1440)
    await browser.open(session_id, "/.uat/")
    app = "document.getElementById('frame')?.contentDocument?.body?.innerText ?? ''"
    await browser.shows("Yes, with a sticky footer")
    for _ in range(50):
        if "The app" in (framed := await browser.run(app)):
            break
        await asyncio.sleep(0.1)
    assert "The app" in framed
    on_screen(browser, 390)
    await browser.open(session_id, "/.uat/")
    assert await browser.run("document.getElementById('preview').checkVisibility()") is False
    await browser.run("document.querySelector('[data-show=preview]').click()")
    assert await browser.run("document.getElementById('preview').checkVisibility()") is True
    assert await browser.run("document.getElementById('conversation').checkVisibility()") is False


async def test_a_preview_that_cannot_be_framed_says_so(
    browser: Browser, recorder: Recorder, start_upstream: StartUpstream
) -> None:
    refusing = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Frame-Options: DENY\r\nContent-Length: 1\r\n\r\nx"
    upstream = await start_upstream(refusing)
    on_screen(browser, 1440)
    await browser.open(recorder.put([], ip=upstream.address, port=3000, **sample_row()), "/.uat/")
    await browser.shows("The preview can't be shown here")


@pytest.mark.parametrize("width", [320, 390, 1440])
async def test_no_text_is_too_wide(browser: Browser, recorder: Recorder, width: int) -> None:
    script = sample()
    script.message("x" * 3_000)
    script.tool("Bash", {"command": "y" * 3_000}, "z" * 3_000)
    script.add("log", source="install", text="l" * 3_000)
    on_screen(browser, width)
    await browser.open(recorder.put(script.batches(), **sample_row() | {"issue_title": "t" * 300}), "/.uat/")
    for view in ("conversation", "details"):
        await browser.run(f"document.querySelector('[data-show={view}]').click()")
        await browser.run(EVERYTHING_OPEN)
        assert await browser.run("document.documentElement.scrollWidth") <= width
        assert await browser.run("document.getElementById('conversation').scrollWidth") <= width


@pytest.mark.parametrize("width", [1440, 390])
async def test_a_turns_link_leads_to_its_pictures_side_by_side(
    browser: Browser, recorder: Recorder, width: int
) -> None:
    script, prompt_id = Script(), "01K0M1Z0000000000000000009"
    for number in range(60):
        script.message(f"Before {number}")
    script.turn_with_pictures(prompt_id)
    for number in range(60):
        script.message(f"After {number}")
    session_id = recorder.put(script.batches(), **sample_row())
    for name, of_width in (("a", 1280), ("b", 1280), ("c", 390)):
        recorder.put_object(session_id, f"pictures/{name * 64}.png", png(of_width, 2_400, shade=160))
    on_screen(browser, width)
    await browser.open(session_id, f"/.uat/#turn-{prompt_id}")

    loaded = "[...document.querySelectorAll('.pictures img')].filter(({naturalWidth}) => naturalWidth).length"
    await browser.until(lambda _: browser.driver.execute_script(f"return {loaded}") == 3, "the pictures are shown")
    before, after, phone = await browser.run(
        "[...document.querySelectorAll('.pictures img')].map((each) => each.getBoundingClientRect().toJSON())"
    )
    assert before["right"] < after["left"]
    assert (before["top"], before["width"], before["height"]) == (after["top"], after["width"], after["height"])
    assert after["right"] <= width
    assert 0 < before["top"] < 800
    assert phone["width"] <= 182
    assert await browser.run("document.querySelector('.pictures img').alt") == "/cart at 1280 px, before the turn"


async def test_without_scripts_everything_is_there(proxy: Proxy, recorder: Recorder, tmp_path: Path) -> None:
    session_id = recorder.put(sample().batches(), **sample_row())
    with chromium(proxy, tmp_path, preferences=NO_SCRIPTS) as browser:
        await browser.open(session_id, "/.uat/")
        text = await browser.text()
    for words in ("Yes, with a sticky footer", "Look at the page at 390 px", "VITE v7.2.0", "claude-opus-5-5"):
        assert words in text


@pytest.mark.skipif(not AXE.exists(), reason="needs axe: make .node/.installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "row",
    [
        {},
        {"status": "STARTING"},
        {"status": "FAILED", "end_reason": "It failed.", "ended_at": "2026-11-22T09:00:00.000Z"},
        {"preview": {"state": "failed", "detail": "`npm run dev` ended", "log": ""}},
    ],
    ids=["running", "starting", "failed", "no-preview"],
)
async def test_the_page_is_accessible(
    browser: Browser, recorder: Recorder, row: dict[str, object], scheme: str
) -> None:
    script = sample()
    script.turn_with_pictures("01K0M1Z0000000000000000009")
    session_id = recorder.put(script.batches(), **sample_row() | row)
    recorder.extend(session_id, sample_history(ended="ended_at" in row).batches(), workflow=True)
    for width in (1440, 390):
        on_screen(browser, width, scheme)
        await browser.open(session_id, "/.uat/")
        for view in VIEWS:
            await browser.run(f"document.querySelector('[data-show={view}]').click()")
            await has_no_violations(browser)


@pytest.mark.skipif(not AXE.exists(), reason="needs axe: make .node/.installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("may_write", [True, False])
async def test_the_page_to_write_on_is_accessible(
    browser: Browser,
    tmp_path: Path,
    scheme: str,
    may_write: bool,  # noqa: FBT001 - a case
) -> None:
    url = write_page(tmp_path, may_write=may_write)
    for width in (1440, 390):
        on_screen(browser, width, scheme)
        await asyncio.to_thread(browser.driver.get, url)
        await has_no_violations(browser)
        assert await browser.run("document.documentElement.scrollWidth") <= width


async def test_keys_alone_reach_and_do_everything(browser: Browser, recorder: Recorder) -> None:
    script = Script()
    for number in range(201):
        script.tool("Bash", {"command": f"echo {number}"}, f"{number}")
    on_screen(browser, 390)
    await browser.open(recorder.put(script.batches(), **sample_row()), "/.uat/")
    await browser.shows("echo 200")
    focused = "(document.activeElement.closest('a, summary, button'))?.innerText ?? ''"

    async def press(*keys: str) -> str:
        await asyncio.to_thread(ActionChains(browser.driver).send_keys(*keys).perform)
        return str(await browser.run(focused))

    async def tab_to(words: str) -> None:
        for _ in range(40):
            if words in (at := await press(Keys.TAB)):
                outline = await browser.run("getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"{at} doesn't show that it has the focus"
                return
        raise AssertionError(f"no key leads to {words}")

    await tab_to("Details")
    await press(Keys.ENTER)
    assert await browser.run("document.body.dataset.view") == "details"
    back = ActionChains(browser.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB, Keys.TAB).key_up(Keys.SHIFT)
    await asyncio.to_thread(back.perform)  # over "Preview"
    await press(Keys.ENTER)
    assert await browser.run("document.body.dataset.view") == "conversation"
    await tab_to("Show earlier entries")
    await press(Keys.ENTER)
    await browser.until(lambda _: browser.driver.execute_script(f"return {ENTRIES}") == 201, "there is one more")
    await tab_to("echo 0")
    await press(Keys.SPACE)
    assert await browser.run("document.querySelector('.call').open")


async def test_an_open_page_follows_the_session_and_keeps_what_was_opened(
    browser: Browser, recorder: Recorder, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(http(DEV_PAGE))
    row = sample_row() | {"ip": upstream.address, "port": 3000}
    script = Script()
    script.tool("Bash", {"command": "make"}, None)
    on_screen(browser, 1440)
    session_id = recorder.put(script.batches(), **row)
    await browser.open(session_id, "/.uat/")
    await browser.run("document.querySelector('.call').open = true")
    recorder.extend(session_id, sample_history().batches(), workflow=True)
    await browser.shows("Session running")
    script.add("tool_result", id="toolu_0", is_error=False, text="made it")
    script.message("All done.")
    script.add("todo", items=[{"text": "Rest", "status": "in_progress"}])
    recorder.extend(session_id, script.batches(first=1), known=1)
    await browser.shows("All done.")
    await browser.shows("made it")
    assert await browser.run("[...document.querySelectorAll('.entry')].map(({id}) => id).join()") == "e1,s1,s2,s3,e3"
    assert await browser.run("document.getElementById('now').textContent") == "Claude: All done."
    assert await browser.run("document.querySelector('#todo').textContent.includes('Rest')")
    assert [head for head in upstream.requests if head.startswith(b"GET / ")][1:] == []  # nothing reloaded the preview
    recorder.table.put(id=session_id, **row | {"page_revision": 1})
    for _ in range(100):
        if sum(head.startswith(b"GET / ") for head in upstream.requests) == 2:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the preview wasn't reloaded")


async def test_two_visitors_see_the_same_and_that_they_are_two(
    browser: Browser, proxy: Proxy, recorder: Recorder, tmp_path: Path
) -> None:
    session_id = recorder.put([], **sample_row())
    on_screen(browser, 1440)
    await browser.open(session_id, "/.uat/")
    with chromium(proxy, tmp_path) as other:
        await other.open(session_id, "/.uat/")
        await says_who_else_is_looking(browser, other, recorder, session_id)
    await browser.until(lambda text: "people are looking" not in text, "the other one has left")


async def test_a_page_that_is_left_open_puts_what_comes_into_batches_and_lets_go_of_its_beginning_at_the_end(
    browser: Browser, recorder: Recorder
) -> None:
    script = Script()
    for number in range(1_350):
        script.message(f"message {number}")
    batches = script.batches(150)
    on_screen(browser, 1440)
    session_id = recorder.put(batches[:1], **sample_row())
    await browser.open(session_id, "/.uat/")
    await browser.run("document.getElementById('conversation').scrollTop = 0")
    recorder.extend(session_id, batches[1:7], known=1)
    await browser.shows("message 1049")
    assert await browser.run(ENTRIES) == 1_050, "nothing goes that is being read"
    assert await browser.run("document.getElementById('conversation').scrollTop") == 0
    assert await browser.run("document.getElementById('entries').children.length") == 150 + 9
    assert await browser.run("document.querySelectorAll('.batch').length") == 8
    sizes = "[...document.querySelectorAll('.batch')].map((each) => each.getBoundingClientRect().height)"
    assert all(1_000 < size < 20_000 for size in await browser.run(sizes))
    await browser.run("document.querySelector('#latest button').click()")
    await asyncio.sleep(0.3)
    recorder.extend(session_id, batches[7:], known=7)
    await browser.shows("message 1349")
    numbers = await browser.run("[...document.querySelectorAll('.entry')].map(({id}) => Number(id.slice(1)))")
    assert numbers == list(range(351, 1_351))
    assert (await browser.run("document.querySelector('#earlier a').href")).endswith("?before=351")
    pane = "document.getElementById('conversation')"
    assert await browser.run(f"{pane}.scrollHeight - {pane}.scrollTop - {pane}.clientHeight") < 80


async def test_whatever_comes_is_text(browser: Browser, recorder: Recorder) -> None:
    on_screen(browser, 1440)
    session_id = recorder.put([], **sample_row())
    await browser.open(session_id, "/.uat/")
    unframed = "return !document.getElementById('unframed').hidden"
    await browser.until(
        lambda _: browser.driver.execute_script(unframed), "the browser has refused to frame the preview"
    )
    browser.complaints()  # of that, and of the pages before
    await shows_text_as_text(browser, recorder, session_id)
    assert browser.complaints() == []


async def test_nothing_is_lost_or_doubled_when_connections_are_cut(
    browser: Browser, proxy: Proxy, recorder: Recorder, haproxy_command: HaproxyCommand
) -> None:
    on_screen(browser, 1440)
    session_id = recorder.put([], **sample_row())
    await browser.open(session_id, "/.uat/")
    await loses_and_doubles_nothing(browser, recorder, session_id, partial(haproxy_command, proxy, CUT_STREAMS))


async def test_ten_thousand_events_open_at_once(browser: Browser, recorder: Recorder) -> None:
    script = Script()
    for number in range(5_000):
        script.tool("Bash", {"command": f"echo {number}"}, f"{number}")
    on_screen(browser, 1440)
    await browser.open(recorder.put(script.batches(250), **sample_row()), "/.uat/")
    await browser.shows("echo 4999")
    assert await browser.run(ENTRIES) == 200
    await browser.run("document.getElementById('conversation').scrollTop = 0")
    await asyncio.sleep(0.2)
    seen = "document.getElementById('e9601').getBoundingClientRect().top"
    place = await browser.run(seen)
    await browser.run("document.querySelector('#earlier a').click()")
    await browser.until(lambda _: browser.driver.execute_script(f"return {ENTRIES}") == 400, "there are as many more")
    numbers = await browser.run("[...document.querySelectorAll('.entry')].map(({id}) => Number(id.slice(1)))")
    assert numbers == list(range(9201, 10_000, 2))
    await asyncio.sleep(0.3)  # until all that can be seen has its size
    assert abs(await browser.run(seen) - place) < 2, "what was read stays where it was"
    # Thousands of entries side by side hold up each frame; those of a batch that can't be seen are one.
    assert await browser.run("document.getElementById('entries').children.length") == 1 + 200
    assert await browser.run("getComputedStyle(document.querySelector('.batch')).contentVisibility") == "auto"
