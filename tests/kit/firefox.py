"""Firefox for tests, spoken to by WebDriver BiDi, which it has built in: no driver is needed beside it.

Every name resolves to one address, so that nothing of what a browser does by itself leaves this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
_LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
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


class Firefox:
    """One tab; `complaints` is what its console says as a warning or an error."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._context = ""
        self.complaints: list[str] = []

    async def begin(self) -> None:
        """Take the tab that is open."""
        await self._command("session.new", capabilities={})
        await self._command("session.subscribe", events=["log.entryAdded"])
        tree = await self._command("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def open(self, url: str, width: int = 1440) -> None:
        """Open a page in a window of this width."""
        viewport = {"width": width, "height": 800}
        await self._command("browsingContext.setViewport", context=self._context, viewport=viewport)
        await self._command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def run(self, expression: str) -> Any:  # noqa: ANN401 - whatever the expression is
        """Return what an expression is on the page: a string, a number, or true or false."""
        target = {"context": self._context}
        evaluated = await self._command(
            "script.evaluate", expression=expression, target=target, awaitPromise=True, userActivation=True
        )
        assert evaluated["type"] == "success", evaluated
        return evaluated["result"].get("value")

    async def until(self, true: Callable[[str], bool], what: str) -> None:
        """Wait until this is true of the page's text."""
        text = ""
        for _ in range(10 * _WAIT_SECONDS):
            if true(text := str(await self.run("document.body.innerText"))):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"after {_WAIT_SECONDS} s still not so: {what}; the page says: {text}")

    async def shows(self, words: str) -> None:
        """Wait until the page shows these words."""
        await self.until(lambda text: words in text, f"the page shows {words!r}")

    async def _command(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._ids)
        await self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        async for message in self._connection:
            received: dict[str, Any] = json.loads(message)
            if received.get("method") == "log.entryAdded" and received["params"]["level"] in {"warn", "error"}:
                self.complaints.append(str(received["params"]["text"]))
            if received.get("id") == number:
                assert received["type"] == "success", received
                return dict(received["result"])
        raise AssertionError("Firefox has gone")


@contextlib.asynccontextmanager
async def firefox(profile: Path, address: str) -> AsyncIterator[Firefox]:
    """Run Firefox with a profile of its own, for which every name is at `address`; it ends with the block."""
    preferences = _PREFERENCES | {"network.dns.forceResolve": address}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
    (profile / "user.js").write_text("".join(lines))
    process = await asyncio.create_subprocess_exec(
        PROGRAM or "firefox",
        *("--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0", "about:blank"),
        env={"HOME": str(profile), "PATH": "/usr/bin:/bin", "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            url = await _listening(process)
        async with connect(f"{url}/session", max_size=None) as connection:
            browser = Firefox(connection)
            await browser.begin()
            yield browser
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listening(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if found := _LISTENING.search(line):
            return found[1].decode()
    raise AssertionError("Firefox has ended before it listened")
