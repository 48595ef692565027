"""How smoothly the page of a session of ten thousand events scrolls, beside a bare page with the same text.

    python tests/bench/session_page_scroll.py [--rounds 3]

Starts a DynamoDB and S3 endpoint, a proxy and a headless Chromium of 1440 by 800 on this machine's loopback addresses,
has the page load everything that was earlier, and scrolls from its end to its beginning, a screen in ten frames. The
peer is a document of the same words and as many folded parts, without style, script or stream. Another page of the
session's has been open from its beginning, with its reader up in it, and got all events as they came. A frame takes
16.7 ms where nothing holds it up. 400 frames of each are looked at in each round, of the session's page twice: what
comes into sight for the first time has to be laid out.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.session_page import proxy_of_sessions
from tests.integration.proxy.test_pages_in_browser import Browser, chromium
from tests.kit.transcripts import Script, sample_row

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy
    from tests.integration.proxy.session_page.conftest import Recorder

EVENTS = 10_000
_LOAD_SECONDS = 120
_EARLIER = """
const link = document.querySelector('#earlier a'), count = document.querySelectorAll('.entry').length;
if (link.checkVisibility()) link.click();
return [link.checkVisibility(), count];
"""
_PEER = """
const parts = [...document.querySelectorAll('.entry')].map((entry) => [
  entry.querySelector('summary')?.textContent ?? '', entry.textContent]);
document.open();
document.write('<!doctype html><title>peer</title><main>' + parts.map(([title, text]) =>
  `<details><summary>${title}</summary><pre>${text}</pre></details>`).join('') + '</main>');
document.close();
"""
# Every frame scrolls a tenth of a screen up; the pauses between frames are what a visitor sees.
_SCROLL = """
const done = arguments[0], pauses = [];
const pane = [...document.querySelectorAll('*')].find((each) => each.scrollHeight > 4 * each.clientHeight
  && ['auto', 'scroll'].includes(getComputedStyle(each).overflowY)) ?? document.scrollingElement;
pane.scrollTop = pane.scrollHeight;
let before = 0, left = 400;
const step = (now) => {
  if (before) pauses.push(now - before);
  before = now;
  pane.scrollTop -= pane.clientHeight / 10;
  if (pane.scrollTop > 0 && left--) requestAnimationFrame(step);
  else done([pauses, pane.scrollTop]);
};
setTimeout(() => requestAnimationFrame(step), 1000);
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with proxy_of_sessions() as (proxy, recorder), tempfile.TemporaryDirectory() as profile:
        script = Script()
        for number in range(EVENTS // 2):
            script.tool("Bash", {"command": f"echo {number}"}, f"line {number}\n" * 5)
        batches = script.batches(250)
        session_id = recorder.put(batches, **sample_row())
        pauses = asyncio.run(_measure(proxy, recorder, session_id, batches, Path(profile), rounds))
    print("| page | frames | median | 95 of 100 within | longest | over 50 ms |")
    print("|---|---|---|---|---|---|")
    for page, all_pauses in pauses.items():
        inside = statistics.quantiles(all_pauses, n=20)[-1]
        print(
            f"| {page} | {len(all_pauses)} | {statistics.median(all_pauses):.1f} ms | {inside:.1f} ms "
            f"| {max(all_pauses):.1f} ms | {sum(pause > 50 for pause in all_pauses)} |"
        )


async def _measure(  # noqa: PLR0913, PLR0917 - the parts of the measurement
    proxy: Proxy, recorder: Recorder, session_id: str, batches: list[bytes], profile: Path, rounds: int
) -> dict[str, list[float]]:
    pauses: dict[str, list[float]] = {"the session's, for the first time": [], "again": [], "the bare one": []}
    pauses |= {"left open, for the first time": [], "left open, again": []}
    with chromium(proxy, profile) as browser:
        browser.driver.set_script_timeout(_LOAD_SECONDS)
        size = {"width": 1440, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for _ in range(rounds):
            await browser.open(session_id, "/.uat/")
            await _load_everything(browser)
            pauses["the session's, for the first time"] += _scroll(browser)
            pauses["again"] += _scroll(browser)
            browser.driver.execute_script(_PEER)
            pauses["the bare one"] += _scroll(browser)
            await _leave_open(browser, recorder, batches)
            pauses["left open, for the first time"] += _scroll(browser)
            pauses["left open, again"] += _scroll(browser)
    return pauses


async def _leave_open(browser: Browser, recorder: Recorder, batches: list[bytes]) -> None:
    """Have a page get all but the first events as they come, with its reader at its beginning."""
    session_id = recorder.put(batches[:1], **sample_row())
    await browser.open(session_id, "/.uat/")
    browser.driver.execute_script("document.getElementById('conversation').scrollTop = 0")
    recorder.extend(session_id, batches[1:], known=1)
    async with asyncio.timeout(_LOAD_SECONDS):
        count = 0
        while count < EVENTS // 2:
            count = browser.driver.execute_script("return document.querySelectorAll('.entry').length")
            await asyncio.sleep(0.2)


async def _load_everything(browser: Browser) -> None:
    async with asyncio.timeout(_LOAD_SECONDS):
        more, count = True, 0
        while more or count < EVENTS // 2:
            more, count = browser.driver.execute_script(_EARLIER)
            await asyncio.sleep(0.1)


def _scroll(browser: Browser) -> list[float]:
    pauses, _ = browser.driver.execute_async_script(_SCROLL)
    return [float(pause) for pause in pauses]


if __name__ == "__main__":
    main()
