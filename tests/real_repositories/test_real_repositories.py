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
        shown = await _text(browser)
        row.page = row.page or " ".join(shown.split())[:60]
        assert tried.edit(shown), f"no source file holds what the page shows: {shown[:500]}"
        tried.commit()
        row.edit = await _until_shown(browser, trial.MARK)


async def _text(browser: webdriver.Chrome) -> str:
    """Return the page's text, once it has any."""
    deadline, shown = time.monotonic() + _EDIT_SECONDS, ""
    while not shown.strip() and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        shown = str(await asyncio.to_thread(browser.execute_script, _SHOWN))
    return shown


async def _shown(browser: webdriver.Chrome) -> str:
    """Return the page's text in small letters, as style sheets may want others."""
    return str(await asyncio.to_thread(browser.execute_script, _SHOWN)).lower()


async def _until_shown(browser: webdriver.Chrome, text: str) -> str:
    """Wait until the page shows the text; return whether that took a reload by hand."""
    deadline = time.monotonic() + _EDIT_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        if text in await _shown(browser):
            return "by itself"
        if time.monotonic() > deadline - _EDIT_SECONDS / 2:
            await asyncio.to_thread(browser.refresh)
            await asyncio.sleep(2)
            if text in await _shown(browser):
                return "after a reload"
    raise AssertionError(f"not within {_EDIT_SECONDS} s: {text!r}")
