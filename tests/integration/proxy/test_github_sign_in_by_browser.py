"""The sign-in as a real browser goes through it: redirects, GitHub's page, and cookies by a browser's own rules."""

import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from selenium.common import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.integration.local_github.server import Server

from cloud_agent_proxy.answers import Answer
from cloud_agent_proxy.pages import Pages
from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.sign_in import answers
from cloud_agent_proxy.sign_in.github import ClientCredentials, GitHub
from cloud_agent_proxy.sign_in.github_sign_in import NONCE_COOKIE, RENEWAL_COOKIE, SIGN_IN_HOST, GitHubSignIn
from cloud_agent_proxy.sign_in.results import Failed, Granted, Redirect, Refused, Renewed

pytestmark = pytest.mark.skipif(not shutil.which("chromedriver"), reason="chromedriver is not installed")

DOMAIN = "uat.localhost"  # browsers resolve it by themselves, and take Secure cookies from it without TLS
SESSION, NEIGHBOUR = "09e22a8b", "0a1b2c3d"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,800",
]


@dataclass
class Gate:
    """Two sessions of one private repository, behind a gate that does nothing but sign in."""

    sign_in: GitHubSignIn
    pages: Pages

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/.uat/callback", self._callback), Route("/{path:path}", self._show)])

    async def _callback(self, request: Request) -> Response:
        origin, name = _asked_for(request)
        match await self.sign_in.finish(name, origin, request.query_params, request.cookies):
            case Granted() as granted:
                return RedirectResponse(granted.return_to, 303, {"Set-Cookie": granted.renewal.header})
            case Refused() as refused:
                return self._page(answers.refused(refused))
            case Failed() as failed:
                return self._page(answers.failed(failed, name))

    async def _show(self, request: Request) -> Response:
        origin, name = _asked_for(request)
        if name == SIGN_IN_HOST:
            result = self.sign_in.forward(origin, request.query_params)
            return RedirectResponse(result.url, 303) if isinstance(result, Redirect) else Response(status_code=400)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if isinstance(await self.sign_in.renew(name, request.cookies.get(RENEWAL_COOKIE, "")), Renewed):
            return HTMLResponse(f"<title>App</title>{name} shows {path}")
        begun = self.sign_in.begin(name, origin, path, request.cookies)
        assert begun.cookie
        return RedirectResponse(begun.url, 303, {"Set-Cookie": begun.cookie.header})

    def _page(self, answer: Answer) -> Response:
        page = self.pages.html(answer)
        return Response(page.body, page.status, page.headers)


def _asked_for(request: Request) -> tuple[str, str]:
    return str(request.base_url).rstrip("/"), (request.url.hostname or "").partition(".")[0]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a gate whose GitHub lets `mona` read the sessions' repository, and `stranger` not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        github = Server(tmp_path / "github", callback_url=f"http://{SIGN_IN_HOST}.{DOMAIN}:{port}/callback")
        github.start()
        server: uvicorn.Server | None = None
        thread: threading.Thread | None = None
        try:
            with github.client(github.credentials["token"]) as api:
                api.post("/orgs/acme/repos", json={"name": "app", "private": True}).raise_for_status()
                for login in ("mona", "stranger"):
                    api.post("/admin/users", json={"login": login}).raise_for_status()
                api.put("/repos/acme/app/collaborators/mona", json={"permission": "pull"}).raise_for_status()

            async def repository_of(session_id: str) -> str | None:
                return "acme/app" if session_id in {SESSION, NEIGHBOUR} else None

            credentials = ClientCredentials.model_validate(github.credentials)
            sign_in = GitHubSignIn(
                GitHub(github.url, github.api_url, credentials), DOMAIN, ["an-access-key" * 3], repository_of
            )
            config = uvicorn.Config(Gate(sign_in, Pages(ASSETS / "pages")).app, log_level="warning", lifespan="off")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            yield port
        finally:
            if server and thread:
                server.should_exit = True
                thread.join(15)
            github.stop()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    options = ChromeOptions()
    for flag in [*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]:
        options.add_argument(flag)
    driver = Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def authorize_as(browser: Chrome, person: str) -> None:
    browser.find_element(By.CSS_SELECTOR, f"input[value={person}]").click()
    browser.find_element(By.CSS_SELECTOR, "button[value=authorize]").click()


def wait_for_text(browser: Chrome, text: str) -> str:
    on_the_way = [StaleElementReferenceException]  # the page of a moment ago
    WebDriverWait(browser, 15, ignored_exceptions=on_the_way).until(
        lambda driver: text in driver.find_element(By.TAG_NAME, "body").text
    )
    return str(browser.current_url)


def test_a_reader_signs_in_once_for_all_sessions(browser: Chrome, port: int) -> None:
    session, neighbour = (f"http://{name}.{DOMAIN}:{port}/a/b?c=d%20e" for name in (SESSION, NEIGHBOUR))

    browser.get(session)
    assert "Authorize Claude Cloud Agent" == browser.find_element(By.TAG_NAME, "h1").text
    authorize_as(browser, "mona")

    assert session == wait_for_text(browser, f"{SESSION} shows /a/b?c=d%20e")
    assert "" == browser.execute_script("return document.cookie")
    kept = {cookie["name"]: cookie for cookie in browser.get_cookies()}
    assert {NONCE_COOKIE, RENEWAL_COOKIE} == set(kept)
    assert {f"{SESSION}.{DOMAIN}"} == {cookie["domain"] for cookie in kept.values()}

    browser.get(neighbour)  # nothing is asked again: GitHub remembers
    assert neighbour == wait_for_text(browser, f"{NEIGHBOUR} shows /a/b?c=d%20e")


def test_a_stranger_is_told_who_they_are_and_nothing_of_the_session(browser: Chrome, port: int) -> None:
    def seen_at(session_id: str) -> str:
        browser.get(f"http://{session_id}.{DOMAIN}:{port}/")
        if browser.find_elements(By.CSS_SELECTOR, "input[value=stranger]"):
            authorize_as(browser, "stranger")
        wait_for_text(browser, "signed in to GitHub as stranger")
        return str(browser.find_element(By.TAG_NAME, "body").text)

    assert seen_at(SESSION) == seen_at("deadbeef")
    assert "acme" not in browser.page_source


def test_who_cancels_is_not_signed_in(browser: Chrome, port: int) -> None:
    browser.get(f"http://{SESSION}.{DOMAIN}:{port}/")
    browser.find_element(By.CSS_SELECTOR, "button[value=cancel]").click()
    wait_for_text(browser, "You have not signed in")
