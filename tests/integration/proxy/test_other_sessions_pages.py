"""Sessions are one site to a browser: a page of one must not act on another with the visitor's cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.visitor import NAVIGATION, UPGRADE, access

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy, Upstream

OTHER = "https://11111111.uat.example.test"
FETCH = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-site"}


@pytest.fixture(params=["link", "public"])
def either(request: pytest.FixtureRequest, proxy: Proxy, gated: Proxy) -> Proxy:
    return gated if request.param == "link" else proxy


FROM_ANOTHER_SESSION = [
    ("GET", {"Origin": OTHER}),
    ("GET", {"Origin": OTHER + ":8080"}),
    ("GET", {"Origin": OTHER.upper()}),
    ("GET", {"Origin": "http://uat.example.test"}),
    ("GET", {"Origin": "https://a.b.uat.example.test"}),
    ("POST", {"Origin": OTHER}),
    ("OPTIONS", {"Origin": OTHER, "Access-Control-Request-Method": "PUT"}),
    ("GET", {"Origin": OTHER, **UPGRADE}),
    ("GET", FETCH),
    ("GET", {**FETCH, "Sec-Fetch-Dest": "script"}),
    ("GET", {**FETCH, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
    ("POST", {**FETCH, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
]


@pytest.mark.parametrize(("method", "headers"), FROM_ANOTHER_SESSION)
async def test_what_another_sessions_page_sends_is_refused(
    either: Proxy, session_id: str, upstream: Upstream, method: str, headers: dict[str, str]
) -> None:
    async with either.client(session_id, headers=access(session_id)) as client:
        response = await client.request(method, "/", headers=headers)
        own_path = await client.request(method, "/.uat/none", headers=headers)
    assert (response.status_code, own_path.status_code) == (403, 403)
    if headers.get("Sec-Fetch-Mode") == "navigate":
        assert "Blocked a request from another session" in response.text
    else:
        assert response.json()["error"] == "sent_by_another_session"
    assert upstream.requests == []


@pytest.mark.parametrize(("method", "headers"), FROM_ANOTHER_SESSION)
async def test_it_is_refused_where_the_visitor_has_been_before(
    either: Proxy, session_id: str, upstream: Upstream, method: str, headers: dict[str, str]
) -> None:
    async with either.client(session_id, headers=access(session_id)) as client:
        assert (await client.get("/")).status_code == 200
        statuses = [(await client.request(method, path, headers=headers)).status_code for path in ("/", "/.uat/none")]
    assert statuses == [403, 403]
    assert len(upstream.requests) == 1


async def test_a_reserved_path_reaches_no_dev_server_where_the_visitor_has_been_before(
    either: Proxy, session_id: str, upstream: Upstream
) -> None:
    async with either.client(session_id, headers=access(session_id)) as client:
        statuses = [(await client.get(path)).status_code for path in ("/", "/.uat/none")]
    assert statuses == [200, 404]
    assert len(upstream.requests) == 1


async def test_it_is_refused_alike_whether_or_not_there_is_such_a_session(either: Proxy, session_id: str) -> None:
    answers = []
    for host in (session_id, "00000000"):
        async with either.client(host, headers={"Origin": OTHER}) as client:
            response = await client.get("/")
        answers.append((response.status_code, dict(response.headers), response.content))
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


NOT_FROM_ANOTHER_SESSION = [
    ("GET", {"Origin": "https://{host}"}),
    ("POST", {"Origin": "https://{host}", "Sec-Fetch-Site": "same-origin"}),
    ("GET", {"Origin": "http://{host}:8080", **UPGRADE}),
    ("GET", {**NAVIGATION, "Sec-Fetch-Site": "same-site"}),
    ("HEAD", {**NAVIGATION, "Sec-Fetch-Site": "same-site"}),
    ("GET", {**NAVIGATION, "Sec-Fetch-Site": "cross-site"}),
    ("GET", {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}),
    ("GET", {"Origin": "null"}),
    ("GET", {"Origin": "https://uat.example.test.evil.example"}),
    ("GET", {"Origin": "https://xuat.example.test"}),
    ("POST", {"Sec-Fetch-Site": "none"}),
    ("POST", {}),
]


@pytest.mark.parametrize(("method", "headers"), NOT_FROM_ANOTHER_SESSION)
async def test_everything_else_is_passed_on_untouched(
    either: Proxy, session_id: str, upstream: Upstream, method: str, headers: dict[str, str]
) -> None:
    sent = {name: value.format(host=f"{session_id}.uat.example.test") for name, value in headers.items()}
    async with either.client(session_id, headers=access(session_id)) as client:
        assert (await client.request(method, "/", headers=sent)).status_code == 200
    if sent.get("Origin") == f"http://{session_id}.uat.example.test:8080":
        del sent["Origin"]  # its own: a dev server that goes by another name is not told
    for name in {"Origin", "Sec-Fetch-Site"} & sent.keys():
        assert f"\r\n{name.lower()}: {sent[name]}\r\n".encode() in upstream.requests[0]


async def test_a_redirect_elsewhere_does_not_launder_what_another_sessions_page_posts(
    gated: Proxy, proxy: Proxy, session_id: str
) -> None:
    """The browser calls it cross-site then, and hides the origin, yet sends the cookie along."""
    laundered = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Origin": "null"}
    async with gated.client(session_id, headers=access(session_id) | laundered) as client:
        assert (await client.post("/")).status_code == 403
    async with proxy.client(session_id, headers=laundered) as client:
        assert (await client.post("/")).status_code == 200
