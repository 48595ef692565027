"""Real dev servers behind the real proxy, in a real browser at https addresses of a real-looking domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal
from tests.conformance import dev_server, load_balancer, report
from tests.conformance.frameworks import FRAMEWORKS, Framework
from tests.conformance.page import Page, start_browser
from tests.integration.proxy.conftest import (
    DOMAIN,
    aws_endpoint,
    metadata_url,
    new_address,
    start_proxy,
    table,
)
from tests.integration.proxy.visitor import GATED, entry_token

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from selenium import webdriver
    from tests.integration.proxy.conftest import SessionsTable, StartProxy

__all__ = ["aws_endpoint", "metadata_url", "start_proxy", "table"]  # fixtures of the proxy's own tests


@dataclass
class Site:
    """A session whose dev server is of this framework."""

    framework: Framework
    work_tree: dev_server.WorkTree
    session_id: str
    browser: webdriver.Chrome

    @property
    def origin(self) -> str:
        return f"https://{self.session_id}.{DOMAIN}"

    @property
    def entry_url(self) -> str:
        """The link that lets a browser in."""
        return f"{self.origin}/.uat/enter?token={entry_token(self.session_id)}"

    def page(self) -> Page:
        """Return the browser's page, let in and on no page of the dev server's own."""
        self.browser.get(self.entry_url)
        self.browser.get("about:blank")
        return Page(self.browser, self.origin)

    def strangers_page(self) -> Page:
        """Return the browser's page, as of somebody who was never let in anywhere."""
        self.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
        return Page(self.browser, self.origin)


@pytest.fixture(scope="session")
def browser(start_proxy: StartProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A browser for which the sessions' hosts lead through a load balancer and the proxy."""
    address = new_address()
    with (
        start_proxy(**GATED) as proxy,
        load_balancer.load_balancer(DOMAIN, address, f"{proxy.address}:8080", tmp_path_factory.mktemp("balancer")),
    ):
        chromium = start_browser(DOMAIN, address, load_balancer.PORT)
        try:
            yield chromium
        finally:
            chromium.quit()


@pytest.fixture(scope="session", params=FRAMEWORKS, ids=lambda framework: framework.name)
def site(request: pytest.FixtureRequest, browser: webdriver.Chrome, table: SessionsTable) -> Iterator[Site]:
    """Each framework in turn, running as the agent runs it."""
    work_tree = dev_server.WorkTree(request.param)
    work_tree.lay_anew()
    address = new_address()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(dev_server.running(work_tree, address)),
    ):
        session_id = table.put(ip=address, port=dev_server.PORT)
        report.note_version(work_tree)
        yield Site(request.param, work_tree, session_id, browser)


@pytest.fixture
def page(request: pytest.FixtureRequest, site: Site) -> Page:
    """The page of this check; a check that the framework has nothing for is skipped with the reason."""
    check = request.node.originalname
    if check in site.framework.not_applicable:
        pytest.skip(site.framework.not_applicable[check])
    return site.page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how each check went."""
    result = yield
    report.note(item, result)
    return result


def pytest_sessionfinish() -> None:
    """Write the table, if every check of every framework has run."""
    report.write_if_complete()
