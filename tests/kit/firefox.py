"""Firefox for tests, spoken to by WebDriver BiDi, which it has built in: no driver is needed beside it.

Every name resolves to one address, so that nothing of what a browser does by itself leaves this machine. It takes a
while to start, so that a module's tests share one: each has a session of its own, and each visitor their own cookies.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from tests.kit.processes import running
from websockets.asyncio.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_START_SECONDS = 60
_WAIT_SECONDS = 30
_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.trr.mode": 5,
    "toolkit.telemetry.enabled": False,
}


class RefusedError(AssertionError):
    """Firefox couldn't do what it was asked for, as where the page is just being left."""


class Firefox:
    """What tests ask of Firefox, one at a time; `complaints` is what its consoles say as a warning or an error."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self.complaints: list[str] = []

    async def command(self, method: str, **params: object) -> dict[str, Any]:
        """Return what a command of WebDriver BiDi results in."""
        number = next(self._ids)
        await self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        async for message in self._connection:
            received: dict[str, Any] = json.loads(message)
            if received.get("method") == "log.entryAdded" and received["params"]["level"] in {"warn", "error"}:
                self.complaints.append(str(received["params"]["text"]))
            if received.get("id") == number:
                if received["type"] != "success":
                    raise RefusedError(received)
                return dict(received["result"])
        raise AssertionError("Firefox has gone")

    @contextlib.asynccontextmanager
    async def visitor(self) -> AsyncIterator[Tab]:
        """Give the tab of a visitor who has no cookies yet."""
        user = (await self.command("browser.createUserContext"))["userContext"]
        tab = await self.command("browsingContext.create", type="tab", userContext=user)
        try:
            yield Tab(self, tab["context"])
        finally:
            await self.command("browser.removeUserContext", userContext=user)


class Tab:
    """One tab."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    async def open(self, url: str, width: int = 1440) -> None:
        """Open a page in a window of this width."""
        viewport = {"width": width, "height": 800}
        await self._browser.command("browsingContext.setViewport", context=self._context, viewport=viewport)
        await self._browser.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def run(self, expression: str) -> Any:  # noqa: ANN401 - whatever the expression is
        """Return what an expression is on the page: a string, a number, or true or false."""
        target = {"context": self._context}
        evaluated = await self._browser.command(
            "script.evaluate", expression=expression, target=target, awaitPromise=True, userActivation=True
        )
        assert evaluated["type"] == "success", evaluated
        return evaluated["result"].get("value")

    async def until(self, true: Callable[[str], bool], what: str) -> None:
        """Wait until this is true of the page's text."""
        text = ""
        for _ in range(10 * _WAIT_SECONDS):
            with contextlib.suppress(RefusedError):
                if true(text := str(await self.run("document.body?.innerText ?? ''"))):
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"after {_WAIT_SECONDS} s still not so: {what}; the page says: {text}")

    async def shows(self, words: str) -> None:
        """Wait until the page shows these words."""
        await self.until(lambda text: words in text, f"the page shows {words!r}")


@contextlib.contextmanager
def running_firefox(profile: Path, address: str) -> Iterator[str]:
    """Run Firefox with a profile of its own, for which every name is at `address`; give the URL that it listens on."""
    preferences = _PREFERENCES | {"network.dns.forceResolve": address}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
    (profile / "user.js").write_text("".join(lines))
    options = ("--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0")
    environment = {"HOME": str(profile), "PATH": "/usr/bin:/bin", "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
    log = profile / "log"

    def url() -> str:
        found = _LISTENING.search(log.read_text(errors="replace"))
        return found[1] if found else ""

    command = [PROGRAM or "firefox", *options, "about:blank"]
    with running(command, log, lambda: bool(url()), _START_SECONDS, env=environment):
        assert url(), f"Firefox has ended before it listened: {log.read_text(errors='replace')[-1500:]}"
        yield url()


@contextlib.asynccontextmanager
async def firefox(url: str) -> AsyncIterator[Firefox]:
    """Begin a session with the Firefox that listens there, as one test at a time can; it ends with the block."""
    async with connect(f"{url}/session", max_size=None) as connection:
        browser = Firefox(connection)
        await browser.command("session.new", capabilities={})
        await browser.command("session.subscribe", events=["log.entryAdded"])
        try:
            yield browser
        finally:
            await browser.command("session.end")
