"""What somebody sees who has a session open in a browser while its repository is edited."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.integration.proxy.conftest import DOMAIN
from tests.integration.proxy.visitor import entry_token
from tests.real_repositories import trial

if TYPE_CHECKING:
    from selenium import webdriver
    from tests.integration.proxy.conftest import SessionsTable

_EDIT_SECONDS = 60
_REST_SECONDS = 3
_SHOWN = "return document.body ? document.body.innerText : ''"


@dataclass
class Visit:
    """A browser at the session in which a repository is tried, whose row says what the Agent API would write there."""

    browser: webdriver.Chrome
    table: SessionsTable
    tried: trial.Trial
    address: str
    session: str = ""

    async def begin(self) -> None:
        """Open the session's link, and the page once more: some things are shown only once, such as notices."""
        self._record()
        url = f"https://{self.session}.{DOMAIN}/.uat/enter?token={entry_token(self.session)}"
        await asyncio.to_thread(self.browser.get, url)
        await asyncio.to_thread(self.browser.refresh)

    async def edit(self) -> tuple[str, bool]:
        """Edit what the page shows, once it has come to rest; return its text, and whether any source could be edited.

        Many a page is built in the browser: at first it has no text, or only that it's loading.
        """
        deadline, shown = time.monotonic() + _EDIT_SECONDS, ""
        while time.monotonic() < deadline:
            before, shown = shown, await self._text()
            if shown.strip() and shown == before and self.tried.edit(shown):
                return shown, True
            await asyncio.sleep(_REST_SECONDS)
        return shown, self.tried.edit_entry()

    async def see_edit(self) -> str:
        """Wait until the page shows the edit; return whether that took a reload by hand.

        Raises:
            AssertionError: it doesn't.
        """
        deadline = time.monotonic() + _EDIT_SECONDS
        while time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            self._record()
            if await self._shows_mark():
                return "by itself"
            if time.monotonic() > deadline - _EDIT_SECONDS / 2:
                await asyncio.to_thread(self.browser.refresh)
                await asyncio.sleep(2)
                if await self._shows_mark():
                    return "after a reload"
        raise AssertionError(f"not within {_EDIT_SECONDS} s: {trial.MARK!r}")

    def _record(self) -> None:
        preview = self.tried.preview.report
        revision = {} if preview.revision is None else {"page_revision": preview.revision}
        row = {
            "ip": self.address,
            "port": preview.port or trial.PORT,
            "host_header": preview.host_header or "localhost",
            **revision,
        }
        self.session = self.table.put(id=self.session, **row)

    async def _shows_mark(self) -> bool:
        return trial.MARK in (await self._text()).lower()  # style sheets may want other letters

    async def _text(self) -> str:
        return str(await asyncio.to_thread(self.browser.execute_script, _SHOWN))
