"""A repository comes up without a file of settings, and its page follows an edit."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.conftest import DOMAIN, new_address
from tests.integration.proxy.visitor import entry_token
from tests.real_repositories import report, trial

if TYPE_CHECKING:
    from pathlib import Path

    from selenium import webdriver
    from tests.integration.proxy.conftest import SessionsTable
    from tests.real_repositories.starters import Subject

_EDIT_SECONDS = 60
_REST_SECONDS = 3
_SHOWN = "return document.body ? document.body.innerText : ''"


@pytest.mark.conformance
@pytest.mark.timeout(1200)
async def test_a_repository_comes_up_and_its_page_follows_an_edit(
    subject: Subject, laid_out: Path, browser: webdriver.Chrome, table: SessionsTable
) -> None:
    with report.row(subject.name) as row:
        await _tried(row, laid_out, browser, table)


async def _tried(row: report.Row, laid_out: Path, browser: webdriver.Chrome, table: SessionsTable) -> None:
    address, started = new_address(), time.monotonic()
    async with trial.running(laid_out / "home", laid_out / "app", address, DOMAIN) as tried:
        preview = await trial.settled(tried.preview)
        row.state, row.seconds = preview.state, f"{time.monotonic() - started:.0f} s"
        row.by = tried.preview.why
        row.page = preview.detail[:120].replace("\n", " ")
        assert preview.state == "live", f"{preview.detail}\n{preview.log}"
        session = table.put(ip=address, port=trial.PORT, host_header=preview.host_header or "localhost")
        await asyncio.to_thread(browser.get, f"https://{session}.{DOMAIN}/.uat/enter?token={entry_token(session)}")
        shown, is_edited = await _edited(tried, browser)
        row.page = row.page or " ".join(shown.split())[:60]
        assert is_edited, f"no source file holds what the page shows: {shown[:500]}"
        tried.commit()
        row.edit = await _until_shown(browser, trial.MARK)


async def _edited(tried: trial.Trial, browser: webdriver.Chrome) -> tuple[str, bool]:
    """Edit what the page shows, once it has come to rest; return its text, and whether the sources have any of it.

    Many a page is built in the browser: at first it has no text, or only that it's loading.
    """
    deadline, shown = time.monotonic() + _EDIT_SECONDS, ""
    while time.monotonic() < deadline:
        before, shown = shown, await _text(browser)
        if shown.strip() and shown == before and tried.edit(shown):
            return shown, True
        await asyncio.sleep(_REST_SECONDS)
    return shown, tried.edit_entry()


async def _text(browser: webdriver.Chrome) -> str:
    return str(await asyncio.to_thread(browser.execute_script, _SHOWN))


async def _until_shown(browser: webdriver.Chrome, text: str) -> str:
    """Wait until the page shows the text; return whether that took a reload by hand."""
    deadline = time.monotonic() + _EDIT_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        if text in (await _text(browser)).lower():  # style sheets may want other letters
            return "by itself"
        if time.monotonic() > deadline - _EDIT_SECONDS / 2:
            await asyncio.to_thread(browser.refresh)
            await asyncio.sleep(2)
            if text in (await _text(browser)).lower():
                return "after a reload"
    raise AssertionError(f"not within {_EDIT_SECONDS} s: {text!r}")
