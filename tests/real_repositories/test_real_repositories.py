"""A repository comes up without a file of settings, and its page follows an edit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.conftest import DOMAIN, new_address
from tests.real_repositories import report, trial
from tests.real_repositories.visit import Visit

if TYPE_CHECKING:
    from pathlib import Path

    from selenium import webdriver
    from tests.integration.proxy.conftest import SessionsTable
    from tests.real_repositories.starters import Subject


@pytest.mark.conformance
@pytest.mark.timeout(1200)
async def test_a_repository_comes_up_and_its_page_follows_an_edit(
    subject: Subject, laid_out: Path, browser: webdriver.Chrome, table: SessionsTable, request: pytest.FixtureRequest
) -> None:
    address, started, up_seconds = new_address(), time.monotonic(), request.config.getoption("--up-seconds")
    with report.row(subject.name) as row, pytest.MonkeyPatch.context() as environment:
        environment.delenv("PYTEST_CURRENT_TEST")  # by which some programs know that they're tested
        async with trial.running(laid_out / "home", laid_out / "app", address, DOMAIN) as tried:
            preview = await trial.settled(tried.preview, up_seconds)
            row.state, row.seconds = preview.state, f"{time.monotonic() - started:.0f} s"
            row.by = tried.preview.why
            row.page = preview.detail[:120].replace("\n", " ")
            assert preview.state == "live", f"{preview.detail}\n{preview.log}"
            visit = Visit(browser, table, tried, address)
            await visit.begin()
            shown, is_edited = await visit.edit()
            row.page = row.page or " ".join(shown.split())[:60]
            assert is_edited, f"no source file holds what the page shows: {shown[:500]}"
            tried.commit()
            row.edit = await visit.see_edit()
