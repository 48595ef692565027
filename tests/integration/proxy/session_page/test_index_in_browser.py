"""The index of sessions in Chromium, on one machine, where it lists all: readable on every screen, by everybody."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.session_page.scenarios import AXE, has_no_violations
from tests.integration.proxy.session_page.test_session_page_in_browser import browser, on_screen
from tests.kit.chromium import needs_chromium
from tests.kit.sessions import serialized

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.proxy.session_page.conftest import Recorder
    from tests.integration.proxy.test_pages_in_browser import Browser

__all__ = ["browser"]

pytestmark = needs_chromium

SESSIONS = (
    ("1de00001", "RUNNING", "acme/storefront", "Show the cart's total", "08:00:00", "0.42"),
    ("1de00002", "RUNNING", "acme/documentation", "x" * 240, "07:12:00", "3.10"),
    ("1de00003", "STARTING", "acme/storefront", "Let visitors choose a currency", "08:03:00", "0"),
    ("1de00004", "QUEUED", "acme/" + "a-long-name-" * 6, "Sort dishes by name", "08:04:00", "0"),
    ("1de00005", "COMPLETED", "acme/storefront", "Dark mode", "06:00:00", "1.25"),
    ("1de00006", "FAILED", "acme/storefront", "Update dependencies", "05:30:00", "0.08"),
)


@pytest.fixture
def listed(recorder: Recorder) -> Iterator[None]:
    """A session in each state; taken away after the test, as is the row of slots."""
    table = recorder.table
    for number, (session_id, status, repo, title, began, cost) in enumerate(SESSIONS, 42):
        pull = {"pull_url": f"https://github.com/{repo}/pull/{number + 1}", "pull_number": number + 1}
        about = {"repo": repo, "issue_title": title, "issue_number": number, "cost_usd": Decimal(cost)}
        ended = {"ended_at": "2026-11-22T08:30:00.000Z"} if status in {"COMPLETED", "FAILED"} else {}
        times = {"created_at": f"2026-11-22T{began}.000Z", **ended}
        table.put(id=session_id, status=status, **about, **times, **pull)
    slots = {"pk": "SLOTS", "sk": "SLOTS"}
    waiting = {"1de00004": {"since": "2026-11-22T08:04:00.000Z", "repo": SESSIONS[3][2]}}
    live = {"1de00001": "acme/storefront", "1de00002": "acme/documentation", "1de00003": "acme/storefront"}
    table.client.put_item(TableName=table.name, Item=serialized({**slots, "live": live, "waiting": waiting}))
    yield
    for key in [slots, *({"pk": f"SESSION#{session_id}", "sk": "SESSION"} for session_id, *_ in SESSIONS)]:
        table.client.delete_item(TableName=table.name, Key=serialized(key))


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "light"), (390, "dark"), (1280, "dark")])
async def test_the_index_fits_the_screen_and_is_accessible(browser: Browser, width: int, scheme: str) -> None:
    on_screen(browser, width, scheme)
    await browser.open("sign-in", "/")
    for _ in range(20):  # what the table says is kept for two seconds
        if "Sort dishes by name" in (text := await browser.text()):
            break
        await asyncio.sleep(0.3)
        await browser.open("sign-in", "/")
    for words in ("Place 1 of 1", "Show the cart's total", "Pull request #43", "$0.42", "\n3\nof 20\n", "Failed"):
        assert words in text
    assert await browser.run("document.documentElement.scrollWidth") <= width
    if AXE.exists():
        await has_no_violations(browser)
