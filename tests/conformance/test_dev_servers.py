"""Through the proxy, a dev server with its own defaults behaves as if it ran on the visitor's machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conformance.conftest import Site
    from tests.conformance.page import Page

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]

IDLE_SECONDS = 6


def test_nothing_is_shown_without_the_link(site: Site) -> None:
    page = site.strangers_page()
    page.open("/")
    page.wait_for_text("h1", "Open this session from its pull request")


def test_a_page_loads_without_errors(site: Site, page: Page) -> None:
    site.framework.arrive(page)
    assert page.errors() == []


def test_an_edit_shows(site: Site, page: Page) -> None:
    site.framework.arrive(page)
    page.mark()
    site.work_tree.edit("before", "after")
    try:
        site.framework.greeting_becomes(page, "after")
        assert site.framework.reloads_by_itself == page.is_marked()
    finally:
        site.work_tree.edit("after", "before")
    site.framework.greeting_becomes(page, "before")


def test_a_form_posts(site: Site, page: Page) -> None:
    site.framework.arrive(page)
    site.framework.send(page)


def test_a_login_holds_over_a_reload(site: Site, page: Page) -> None:
    site.framework.arrive(page)
    site.framework.log_in(page)
    page.reload()
    site.framework.is_logged_in(page)


def test_a_websocket_lives(site: Site, page: Page) -> None:
    site.framework.arrive(page)
    page.wait_for_socket()
    before = page.sockets()
    time.sleep(IDLE_SECONDS)  # idle is what is looked at
    assert before == page.sockets()
    site.framework.exchange(page)


def test_a_redirect_stays_on_the_public_host(site: Site, page: Page) -> None:
    page.open("/old")
    page.wait_for_text("#new", "new")
    assert page.url().startswith(f"{site.origin}/new")
