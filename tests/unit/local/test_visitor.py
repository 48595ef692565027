"""The visitor behaves as a browser does where it matters for who is let in."""

from __future__ import annotations

import http.server
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from cloud_agent_local.errors import DemoError
from cloud_agent_local.installation import Installation, Ports
from cloud_agent_local.session_on_github import live_link
from cloud_agent_local.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST_COOKIE = "__Host-uat-access=a.b-c.d; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60"


@dataclass
class Server:
    """Answers each path as told and keeps what was asked."""

    port: int = 0
    answers: dict[str, tuple[int, list[tuple[str, str]]]] = field(default_factory=dict)
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    @property
    def cookies(self) -> list[str | None]:
        """The Cookie header of each request."""
        return [cookie for _, _, cookie in self.asked]


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers["Host"], self.headers["Cookie"]))
            status, headers = told.answers.get(self.path, (200, []))
            self.send_response(status)
            for name, value in [*headers, ("Content-Length", "0")]:
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        told.port = listening.server_port
        try:
            yield told
        finally:
            listening.shutdown()
            thread.join()


@pytest.fixture
def visitor(server: Server, tmp_path: Path) -> Visitor:
    return Visitor(Installation(ports=Ports(proxy=server.port), state_dir=tmp_path), "09e22a8b")


def test_a_link_is_opened_by_the_sessions_name_and_its_cookie_kept(server: Server, visitor: Visitor) -> None:
    server.answers["/.uat/enter?token=t"] = (303, [("Location", "/"), ("Set-Cookie", HOST_COOKIE)])

    page = visitor.enter(f"{visitor.url}/.uat/enter?token=t")
    visitor.fetch("/menu?day=1")

    host = f"09e22a8b.uat.localhost:{server.port}"
    assert page.status == 200
    assert [path for path, _, _ in server.asked] == ["/.uat/enter?token=t", "/", "/menu?day=1"]
    assert {host} == {asked for _, asked, _ in server.asked}
    assert server.cookies == [None, "__Host-uat-access=a.b-c.d", "__Host-uat-access=a.b-c.d"]


@pytest.mark.parametrize(
    "cookie",
    [
        "__Host-uat-access=x; Path=/",
        "__Host-uat-access=x; Secure",
        "__Host-uat-access=x; Path=/; Secure; Domain=uat.localhost",
    ],
)
def test_a_host_cookie_that_no_browser_takes_is_not_kept(server: Server, visitor: Visitor, cookie: str) -> None:
    server.answers["/"] = (200, [("Set-Cookie", cookie)])

    visitor.fetch()
    visitor.fetch()

    assert server.cookies == [None, None]


def test_a_cookie_is_kept_until_it_is_taken_back(server: Server, visitor: Visitor) -> None:
    server.answers["/"] = (200, [("Set-Cookie", HOST_COOKIE), ("Set-Cookie", "own=1")])
    server.answers["/out"] = (200, [("Set-Cookie", HOST_COOKIE.replace("=60", "=0"))])

    for path in ("/", "/out", "/menu"):
        visitor.fetch(path)

    assert server.cookies == [None, "__Host-uat-access=a.b-c.d; own=1", "own=1"]


@pytest.mark.parametrize("address", ["http://513821dd.uat.localhost:8080/?token=SECRET", "//127.0.0.1/"])
def test_a_visitor_is_not_led_to_another_host(server: Server, visitor: Visitor, address: str) -> None:
    server.answers["/"] = (303, [("Location", address)])

    with pytest.raises(DemoError, match="was led to") as led:
        visitor.fetch()
    with pytest.raises(DemoError, match="was led to"):
        visitor.enter(address)
    assert "SECRET" not in str(led.value)


def test_a_page_that_redirects_to_itself_is_given_up(server: Server, visitor: Visitor) -> None:
    server.answers["/"] = (302, [("Location", "/")])

    with pytest.raises(DemoError, match="redirected"):
        visitor.fetch()


@pytest.mark.parametrize(
    ("comment", "link"),
    [
        (
            "| **Preview** | [http://a.b](http://a.b/.uat/enter?token=x.y-z_.w) |\n",
            "http://a.b/.uat/enter?token=x.y-z_.w",
        ),
        ("| **Preview** | [http://a.b](http://a.b) (available once the session is running) |\n", "http://a.b"),
        ("| **Branch** | `claude/1` |\n", None),
    ],
)
def test_the_link_is_found_in_the_comment(comment: str, link: str | None) -> None:
    assert link == live_link(comment)
