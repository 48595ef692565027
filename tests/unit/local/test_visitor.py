"""The visitor behaves as a browser does where it matters for who is let in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.kit.http_server import Response, serve_http

from cloud_agent_local.errors import DemoError
from cloud_agent_local.installation import Installation, Ports
from cloud_agent_local.session_on_github import live_link
from cloud_agent_local.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.kit.http_server import HttpServer, Request

HOST_COOKIE = "__Host-uat-access=a.b-c.d; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60"


@dataclass
class Site:
    """Responds to each path as it's set up to, and records the requests."""

    server: HttpServer = field(init=False)
    pages: dict[str, Response] = field(default_factory=dict)

    def respond(self, request: Request) -> Response:
        return self.pages.get(request.path, Response())

    def cookies(self) -> list[str | None]:
        """The Cookie header of each request."""
        return [request.headers["Cookie"] for request in self.server.requests]


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with serve_http(site.respond) as site.server:
        yield site


@pytest.fixture
def visitor(site: Site, tmp_path: Path) -> Visitor:
    return Visitor(Installation(ports=Ports(proxy=site.server.port), state_dir=tmp_path), "09e22a8b")


def test_a_link_is_opened_by_the_sessions_name_and_its_cookie_kept(site: Site, visitor: Visitor) -> None:
    site.pages["/.uat/enter?token=t"] = Response(303, headers=[("Location", "/"), ("Set-Cookie", HOST_COOKIE)])

    page = visitor.enter(f"{visitor.url}/.uat/enter?token=t")
    visitor.fetch("/menu?day=1")

    host = f"09e22a8b.uat.localhost:{site.server.port}"
    assert page.status == 200
    assert [request.path for request in site.server.requests] == ["/.uat/enter?token=t", "/", "/menu?day=1"]
    assert {host} == {request.headers["Host"] for request in site.server.requests}
    assert site.cookies() == [None, "__Host-uat-access=a.b-c.d", "__Host-uat-access=a.b-c.d"]


@pytest.mark.parametrize(
    "cookie",
    [
        "__Host-uat-access=x; Path=/",
        "__Host-uat-access=x; Secure",
        "__Host-uat-access=x; Path=/; Secure; Domain=uat.localhost",
    ],
)
def test_a_host_cookie_that_no_browser_takes_is_not_kept(site: Site, visitor: Visitor, cookie: str) -> None:
    site.pages["/"] = Response(200, headers=[("Set-Cookie", cookie)])

    visitor.fetch()
    visitor.fetch()

    assert site.cookies() == [None, None]


def test_a_cookie_is_kept_until_it_is_taken_back(site: Site, visitor: Visitor) -> None:
    site.pages["/"] = Response(200, headers=[("Set-Cookie", HOST_COOKIE), ("Set-Cookie", "own=1")])
    site.pages["/out"] = Response(200, headers=[("Set-Cookie", HOST_COOKIE.replace("=60", "=0"))])

    for path in ("/", "/out", "/menu"):
        visitor.fetch(path)

    assert site.cookies() == [None, "__Host-uat-access=a.b-c.d; own=1", "own=1"]


@pytest.mark.parametrize("address", ["http://6020583d.uat.localhost:8080/?token=SECRET", "//127.0.0.1/"])
def test_a_visitor_is_not_led_to_another_host(site: Site, visitor: Visitor, address: str) -> None:
    site.pages["/"] = Response(303, headers=[("Location", address)])

    with pytest.raises(DemoError, match="was led to") as led:
        visitor.fetch()
    with pytest.raises(DemoError, match="was led to"):
        visitor.enter(address)
    assert "SECRET" not in str(led.value)


def test_a_page_that_redirects_to_itself_is_given_up(site: Site, visitor: Visitor) -> None:
    site.pages["/"] = Response(302, headers=[("Location", "/")])

    with pytest.raises(DemoError, match="redirected"):
        visitor.fetch()


@pytest.mark.parametrize(
    ("comment", "link"),
    [
        (
            "**[Open preview](http://a.b/.uat/enter?token=x.y-z_.w) · [Session](http://a.b/.uat/)**\n",
            "http://a.b/.uat/enter?token=x.y-z_.w",
        ),
        (
            "**[Open preview](http://a.b) · [Session](http://a.b/.uat/)** · available once the session is running\n",
            "http://a.b",
        ),
        ("| **Branch** | `claude/1` |\n", None),
    ],
)
def test_the_link_is_found_in_the_comment(comment: str, link: str | None) -> None:
    assert link == live_link(comment)
