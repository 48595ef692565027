"""Chromium as every test starts it, and visitors in it who share nothing with each other."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="needs Chromium and its driver: apt-get install chromium-driver"
)
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium(
    profile: Path, *flags: str, preferences: Mapping[str, int] | None = None, has_visitors: bool = False
) -> Iterator[Chrome]:
    """Run Chromium with this profile for as long as a block runs; with `has_visitors`, for `visitor`."""
    options = ChromeOptions()
    for flag in (*_FLAGS, f"--user-data-dir={profile}", *flags):
        options.add_argument(flag)
    options.binary_location = CHROMIUM or ""
    options.enable_bidi = has_visitors
    options.add_experimental_option("prefs", dict(preferences or {}))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(CHROMEDRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def visitor(driver: Chrome) -> Iterator[None]:
    """Have a tab for as long as a block runs, with cookies, storage and a cache of its own.

    That takes a fifth of the time of a Chromium with a new profile.
    """
    first = driver.current_window_handle
    context = driver.browser.create_user_context()
    driver.switch_to.window(driver.browsing_context.create(type="tab", user_context=context))
    driver.get_log("browser")  # type: ignore[no-untyped-call]  # what earlier visitors' pages said
    try:
        yield
    finally:
        driver.switch_to.window(first)
        driver.browser.remove_user_context(context)
