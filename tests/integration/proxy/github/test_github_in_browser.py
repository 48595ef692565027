"""Mode `github` as a real browser meets it: redirects, GitHub's page, and cookies by a browser's own rules."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from selenium.common import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tests.integration.proxy.github.visitors import ASKED_FOR, DOMAIN, address, host
from tests.integration.proxy.visitor import ACCESS_COOKIE
from tests.kit.chromium import chromium, needs_chromium

from cloud_agent_proxy.sign_in.github_sign_in import NONCE_COOKIE, RENEWAL_COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from tests.integration.proxy.conftest import Proxy, SessionsTable, Upstream

pytestmark = needs_chromium


@pytest.fixture
def browser(tmp_path: Path, gated: Proxy) -> Iterator[Chrome]:
    with chromium(
        tmp_path, "--window-size=1000,800", f"--host-resolver-rules=MAP *.{DOMAIN} {gated.address}"
    ) as running:
        yield running


@pytest.fixture
def neighbour(table: SessionsTable, upstream: Upstream, repository: str) -> str:
    """Another session of the repository, whose dev server is down."""
    return table.put(ip=upstream.address, port=3001, repo=repository)


async def authorize_as(browser: Chrome, person: str) -> None:
    await asyncio.to_thread(browser.find_element(By.CSS_SELECTOR, f"input[value={person}]").click)
    await asyncio.to_thread(browser.find_element(By.CSS_SELECTOR, "button[value=authorize]").click)


async def wait_for_text(browser: Chrome, text: str) -> str:
    def is_there(driver: Chrome) -> bool:
        return text in driver.find_element(By.TAG_NAME, "body").text

    on_the_way = [StaleElementReferenceException]  # the page of a moment ago
    await asyncio.to_thread(WebDriverWait(browser, 15, ignored_exceptions=on_the_way).until, is_there)
    return str(browser.current_url)


async def test_a_reader_signs_in_once_for_all_sessions(
    browser: Chrome, session_id: str, upstream: Upstream, reader: str, neighbour: str
) -> None:
    await asyncio.to_thread(browser.get, address(session_id, ASKED_FOR))
    assert browser.find_element(By.TAG_NAME, "h1").text == "Authorize Local App"
    await authorize_as(browser, reader)

    assert address(session_id, ASKED_FOR) == await wait_for_text(browser, "the dev server")
    assert upstream.requests[0].startswith(f"GET {ASKED_FOR} HTTP/1.1\r\n".encode())
    assert b"__Host-uat-" not in b"".join(upstream.requests)
    assert browser.execute_script("return document.cookie") == "own=1"
    kept = {cookie["name"]: cookie for cookie in browser.get_cookies()}
    assert {NONCE_COOKIE, ACCESS_COOKIE, RENEWAL_COOKIE, "own"} == set(kept)
    assert {host(session_id).partition(":")[0]} == {cookie["domain"] for cookie in kept.values()}

    await asyncio.to_thread(browser.get, address(neighbour, "/a"))  # nothing is asked again: GitHub remembers
    there = await wait_for_text(browser, "The dev server isn't responding")
    assert there in {address(neighbour, "/a"), address(neighbour, "/.uat/?return_to=%2Fa")}


async def test_a_stranger_is_told_who_they_are_and_one_who_cancels_that_they_are_not_signed_in(
    browser: Chrome, session_id: str, stranger: str
) -> None:
    await asyncio.to_thread(browser.get, address(session_id))
    await asyncio.to_thread(browser.find_element(By.CSS_SELECTOR, "button[value=cancel]").click)
    await wait_for_text(browser, "You haven't signed in")
    await asyncio.to_thread(browser.get, address(session_id))
    await authorize_as(browser, stranger)
    await wait_for_text(browser, f"signed in to GitHub as {stranger}")
