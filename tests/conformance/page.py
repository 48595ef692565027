"""A page in a real browser, and what a visitor does with it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver.remote.webelement import WebElement

PATIENCE_SECONDS = 60  # a compilation on a busy machine
RELOADED_WITHIN_SECONDS = 3
# Pages keep their WebSockets to themselves; so every page begins with a constructor that also notes them here.
_NOTE_SOCKETS = """
window.conformanceSockets = []
window.WebSocket = class extends window.WebSocket {
  constructor(...args) {
    super(...args)
    const noted = { path: new URL(this.url).pathname, state: 'connecting' }
    window.conformanceSockets.push(noted)
    this.addEventListener('open', () => { noted.state = 'open' })
    this.addEventListener('close', event => { noted.state = `closed with ${event.code}` })
  }
}
"""
_SOCKETS = "return window.conformanceSockets.map(socket => `${socket.path} ${socket.state}`)"


def start_browser(domain: str, address: str, port: int) -> webdriver.Chrome:
    """Start headless Chromium, for which every host below `domain` is at `address`:`port`."""
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",  # a container's root has none; the pages are our own
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        "--no-first-run",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--ignore-certificate-errors",  # the certificate is made for the run
        f"--host-resolver-rules=MAP *.{domain}:443 {address}:{port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))  # else it looks online
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _NOTE_SOCKETS})
    return browser


class Page:
    """The browser's one page of a session; paths are of the session's host."""

    def __init__(self, browser: webdriver.Chrome, origin: str) -> None:
        self._browser = browser
        self._origin = origin
        self.errors()

    def open(self, path: str) -> None:
        self._browser.get(f"{self._origin}{path}")

    def reload(self) -> None:
        self._browser.refresh()

    def url(self) -> str:
        return str(self._browser.current_url)

    def errors(self) -> list[str]:
        """Return the console's errors since the last call."""
        entries = self._browser.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's, untyped
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def mark(self) -> None:
        """Leave something that a reload of the page would wipe out."""
        self._browser.execute_script("window.conformanceMark = true")

    def is_marked(self) -> bool:
        return bool(self._browser.execute_script("return window.conformanceMark === true"))

    def sockets(self) -> list[str]:
        """Return each WebSocket that the page has made, with its path and whether it is open."""
        return list(self._browser.execute_script(_SOCKETS))

    def wait_for_socket(self, path: str = "") -> None:
        """Wait until a WebSocket whose path ends so is open."""
        open_ = f"{path} open"
        self._wait(lambda: any(socket.endswith(open_) for socket in self.sockets()), f"a WebSocket {open_}")

    def run_async(self, script: str) -> Any:  # noqa: ANN401 - whatever the script calls back with
        self._browser.set_script_timeout(PATIENCE_SECONDS)
        return self._browser.execute_async_script(script)

    def has(self, selector: str) -> bool:
        return bool(self._browser.find_elements(By.CSS_SELECTOR, selector))

    def wait_for(self, selector: str) -> None:
        self._wait(lambda: self._one(selector).is_displayed(), f"{selector} is shown")

    def wait_for_text(self, selector: str, text: str, *, within: bool = False) -> None:
        """Wait until the element says `text`, or has it `within`."""
        self._wait(lambda: self._says(selector, text, within=within), f"{selector} says {text!r}")

    def wait_until_true(self, expression: str) -> None:
        """Wait until the JavaScript expression is true in the page."""
        self._wait(lambda: bool(self._browser.execute_script(f"return {expression}")), expression)

    def reload_until_text(self, selector: str, text: str) -> None:
        """Load the page anew, again and again, until the element says `text`."""

        def says() -> bool:
            self.reload()
            with contextlib.suppress(TimeoutException):
                WebDriverWait(self._browser, RELOADED_WITHIN_SECONDS).until(lambda _: self._says(selector, text))
                return True
            return False

        self._wait(says, f"{selector} says {text!r}")

    def submit(self, form: str, **fields: str) -> None:
        """Fill in the form and send it as its own button does."""
        self.wait_for(form)
        element = self._one(form)
        for name, value in fields.items():
            element.find_element(By.NAME, name).send_keys(value)
        element.find_element(By.CSS_SELECTOR, "button, input[type=submit]").click()

    def upload(self, selector: str, name: str, text: str) -> None:
        """Choose a file of this name and content."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, name)
            file.write_text(text, encoding="utf-8")
            self._wait(lambda: self.has(selector), f"{selector} is there")
            self._one(selector).send_keys(str(file))
            self._wait(lambda: name in self._one("body").text, f"{name} is taken")

    def press(self, selector: str, keys: str) -> None:
        element = self._one(selector)
        element.click()
        element.send_keys(keys)

    def click(self, selector: str) -> None:
        self.wait_for(selector)
        self._one(selector).click()

    def _one(self, selector: str) -> WebElement:
        return self._browser.find_element(By.CSS_SELECTOR, selector)

    def _says(self, selector: str, text: str, *, within: bool = False) -> bool:
        try:
            said = self._one(selector).text
        except (NoSuchElementException, StaleElementReferenceException):  # the page is being drawn anew
            return False
        return text in said if within else text == said

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        ignored = [NoSuchElementException, StaleElementReferenceException]
        waiting = WebDriverWait(self._browser, PATIENCE_SECONDS, ignored_exceptions=ignored)
        waiting.until(lambda _: true(), f"at {self.url()} never so: {what}; it shows: {json.dumps(self._shown())}")

    def _shown(self) -> str:
        return str(self._browser.execute_script("return document.body ? document.body.innerText : ''"))[:2000]
