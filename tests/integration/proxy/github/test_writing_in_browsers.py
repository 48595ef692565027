"""The page to write on, in both browsers: who may write does, by its box and its buttons, and nobody else can."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from tests.integration.proxy.github.test_writing import ORIGIN, comments, pull_number, session_id, writer
from tests.integration.proxy.github.visitors import DOMAIN
from tests.integration.proxy.test_pages_in_browser import chromium
from tests.kit.chromium import needs_chromium
from tests.kit.firefox import PROGRAM, firefox, running_firefox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import httpx
    from tests.integration.proxy.conftest import Proxy
    from tests.integration.proxy.github.visitors import Visitor

__all__ = ["pull_number", "session_id", "writer"]  # fixtures

FORMS = "document.forms.length"


class Page(Protocol):
    """A browser's tab."""

    async def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the expression is
        """Return what an expression is on the page."""

    async def until(self, true: Callable[[str], bool], what: str) -> None:
        """Wait until this is true of the page's text."""

    async def shows(self, words: str) -> None:
        """Wait until the page shows these words."""


@contextlib.asynccontextmanager
async def in_chromium(proxy: Proxy, profile: Path) -> AsyncIterator[Page]:
    with chromium(proxy, profile, domain=DOMAIN) as browser:
        yield browser


@contextlib.asynccontextmanager
async def in_firefox(proxy: Proxy, profile: Path) -> AsyncIterator[Page]:
    with running_firefox(profile, proxy.address) as url:
        async with firefox(url) as browser, browser.visitor() as tab:
            yield tab


BROWSERS = [
    pytest.param(in_chromium, id="chromium", marks=needs_chromium),
    pytest.param(
        in_firefox,
        id="firefox",
        marks=pytest.mark.skipif(not PROGRAM, reason="needs Firefox: apt-get install firefox-esr"),
    ),
]


@pytest.fixture(params=BROWSERS)
async def page(request: pytest.FixtureRequest, gated: Proxy, tmp_path: Path) -> AsyncIterator[Page]:
    async with request.param(gated, tmp_path) as page:
        yield page


async def click(page: Page, selector: str) -> None:
    await page.run(f"document.querySelector({selector!r}).click()")


async def authorize_as(page: Page, person: str) -> None:
    await page.shows("Authorize Local App")
    await click(page, f"input[value={person}]")
    await click(page, "button[value=authorize]")


async def test_who_may_write_writes_and_stops_and_who_may_only_read_cannot(  # noqa: PLR0913, PLR0917 - fixtures
    page: Page,
    api: httpx.Client,
    reader: str,
    writer: Visitor,
    session_id: str,
    repository: str,
    pull_number: int,
) -> None:
    await page.run(f"(location.href = '{ORIGIN}/sessions/{session_id}', true)")
    await authorize_as(page, reader)
    await page.shows("Only people with write access to the repository can write to Claude.")
    assert await page.run(FORMS) == 0
    assert comments(api, repository, pull_number) == []

    await click(page, "a[href$='?account']")
    await authorize_as(page, writer.person)
    await page.shows(f"Comment as {writer.person}")
    await page.run("(document.querySelector('textarea').value = 'Make it **blue**', true)")
    await click(page, "form .primary")
    await page.shows("Sent as a comment on the pull request.")
    assert await page.run("document.querySelector('textarea').value") == ""
    await click(page, "summary")
    await click(page, "button[value='/stop']")
    said = [(writer.person, "Make it **blue**"), (writer.person, "/stop")]
    await page.until(lambda _: comments(api, repository, pull_number) == said, "both are comments")
