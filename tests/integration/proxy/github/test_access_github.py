"""Mode `github`: who signs in at GitHub and may read the session's repository sees it, and nobody else."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import websockets
from tests.integration.proxy.github.visitors import (
    ASKED_FOR,
    CALLBACK,
    DOMAIN,
    HOUR,
    PROGRAM,
    Visitor,
    address,
    greet,
    host,
    mode,
    open_websocket,
)
from tests.integration.proxy.visitor import ACCESS_COOKIE, KEY, NAVIGATION, access_token, entry_token, until_answered

from cloud_agent_proxy.sign_in.github_sign_in import NONCE_COOKIE, RENEWAL_COOKIE
from cloud_agent_proxy.sign_in.sealing import unseal

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, SessionsTable, StartProxy, Upstream

    from local_github.testing import Server

UNKNOWN_SESSION = "deadbeef"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "a" * 22 + "==",
}


async def test_a_reader_is_sent_to_github_and_comes_back_to_the_address_asked_for(
    visitor: Visitor, session_id: str, upstream: Upstream
) -> None:
    sent_away = await visitor.ask(address(session_id, ASKED_FOR))
    assert (sent_away.status_code, sent_away.headers["cache-control"]) == (303, "no-store")
    assert sent_away.headers["location"].startswith(f"{visitor.github.url}/login/oauth/authorize?")
    query = dict(parse_qsl(urlsplit(sent_away.headers["location"]).query))
    assert (query["redirect_uri"], query["code_challenge_method"]) == (CALLBACK, "S256")
    assert list(visitor.of(session_id)) == [NONCE_COOKIE]

    entered = await visitor.signs_in(session_id, ASKED_FOR)
    assert (entered.status_code, entered.headers["location"]) == (303, ASKED_FOR)
    assert tuple(entered.headers[n] for n in ("cache-control", "referrer-policy")) == ("no-store", "no-referrer")
    access, renewal = entered.headers.get_list("set-cookie")
    assert access.startswith(f"{ACCESS_COOKIE}=")
    assert renewal.startswith(f"{RENEWAL_COOKIE}=")
    for cookie in (access, renewal):
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} < set(cookie.split("; "))
    assert f"Max-Age={HOUR}" in access

    assert upstream.requests == []
    shown = await visitor.ask(address(session_id, ASKED_FOR))
    assert (shown.status_code, shown.text) == (200, "the dev server")
    assert upstream.requests[0].startswith(f"GET {ASKED_FOR} HTTP/1.1\r\n".encode())


async def test_a_visitor_cannot_say_which_host_github_sends_them_back_to(visitor: Visitor, session_id: str) -> None:
    sent_away = await visitor.ask(address(session_id), headers=NAVIGATION | {"X-Forwarded-Host": "elsewhere.test:9"})
    query = dict(parse_qsl(urlsplit(sent_away.headers["location"]).query))
    assert query["redirect_uri"] == CALLBACK


async def test_a_dev_server_sees_none_of_the_cookies(signed_in: Visitor, session_id: str, upstream: Upstream) -> None:
    signed_in.of(session_id)["mine"] = "1"
    assert {NONCE_COOKIE, ACCESS_COOKIE, RENEWAL_COOKIE, "mine"} == set(signed_in.of(session_id))
    await signed_in.ask(address(session_id))
    (head,) = upstream.requests
    assert b"\r\ncookie: mine=1\r\n" in head
    assert b"__Host-uat-" not in head


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Sec-Fetch-Mode": "cors", "Accept": "text/html"}),
        ("GET", {"Accept": "*/*"}),
        ("GET", {**NAVIGATION, **UPGRADE}),
        ("POST", NAVIGATION),
        ("POST", {"Accept": "text/html"}),
        ("PUT", NAVIGATION),
        ("OPTIONS", {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}),
    ],
)
async def test_what_is_no_navigation_is_never_sent_to_github(
    visitor: Visitor, session_id: str, upstream: Upstream, method: str, headers: dict[str, str]
) -> None:
    refused = await visitor.ask(address(session_id), method, headers)
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/json")
    assert (refused.json()["error"], refused.json()["title"]) == ("signed_out", "Sign in to see this session")
    assert "set-cookie" not in refused.headers
    assert upstream.requests == []


@pytest.mark.parametrize("headers", [NAVIGATION, {"Accept": "text/html,*/*;q=0.8"}])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_every_navigation_is_sent_to_github(
    visitor: Visitor, session_id: str, method: str, headers: dict[str, str]
) -> None:
    assert (await visitor.ask(address(session_id), method, headers)).status_code == 303


async def test_a_websocket_is_refused_without_access_and_open_with(
    visitor: Visitor, gated: Proxy, table: SessionsTable, unused_address: str, repository: str
) -> None:
    async with websockets.serve(greet, unused_address, 3000):
        session_id = table.put(ip=unused_address, port=3000, repo=repository)
        with pytest.raises(websockets.InvalidStatus, match="HTTP 401"):
            await websockets.connect(address(session_id).replace("http", "ws"), host=gated.address, port=8080)
        await visitor.signs_in(session_id)
        async with open_websocket(visitor, session_id) as socket:
            assert await socket.recv() == "hello"
            assert socket.response
            assert socket.response.headers.get_all("set-cookie") == []

        visitor.lets_an_hour_pass(session_id)
        async with open_websocket(visitor, session_id) as socket:
            assert await socket.recv() == "hello"
            assert socket.response
            names = [cookie.partition("=")[0] for cookie in socket.response.headers.get_all("set-cookie")]
            assert names == [ACCESS_COOKIE, RENEWAL_COOKIE]


async def test_who_may_not_read_the_repository_is_told_so_and_nothing_about_the_session(
    visitor: Visitor, session_id: str, stranger: str, repository: str, upstream: Upstream
) -> None:
    visitor.person = stranger
    answers = []
    for name in (session_id, UNKNOWN_SESSION):
        refused = await visitor.signs_in(name)
        headers = {header: value for header, value in refused.headers.items() if header != "date"}
        answers.append((refused.status_code, headers, refused.text))
        assert list(visitor.of(name)) == [NONCE_COOKIE]
    existing, missing = answers
    assert missing == existing
    assert existing[0] == 403
    assert f"signed in to GitHub as {stranger}" in existing[2]
    assert repository not in existing[2]
    assert upstream.requests == []


@pytest.mark.parametrize("decision", ["authorize", "cancel"])
async def test_who_is_refused_signs_in_with_another_account_and_sees_what_they_asked_for(
    visitor: Visitor, session_id: str, stranger: str, reader: str, decision: str
) -> None:
    visitor.person = stranger
    refused = await visitor.ask(await visitor.returns(session_id, ASKED_FOR, decision))
    assert refused.status_code == 403
    (link,) = re.findall(r'<a class="action" href="([^"]*)">Sign in with another account</a>', refused.text)

    sent_away = await visitor.ask(address(session_id, html.unescape(link)))
    assert dict(parse_qsl(urlsplit(sent_away.headers["location"]).query))["prompt"] == "select_account"
    visitor.person = reader
    entered = await visitor.comes_back(sent_away)
    assert (entered.status_code, entered.headers["location"]) == (303, ASKED_FOR)
    assert (await visitor.ask(address(session_id, ASKED_FOR))).text == "the dev server"


@pytest.mark.parametrize("return_to", ["//elsewhere.test", "https://elsewhere.test/", "/.uat/callback", "a\r\nb: c"])
async def test_the_change_of_account_leads_nowhere_else(visitor: Visitor, session_id: str, return_to: str) -> None:
    begun = address(session_id, f"/.uat/sign-in?{urlencode({'return_to': return_to})}")
    assert (await visitor.comes_back(await visitor.ask(begun))).headers["location"] == "/"


async def test_the_change_of_account_tells_nothing_about_sessions(visitor: Visitor, session_id: str) -> None:
    answers = [await visitor.ask(address(name, "/.uat/sign-in")) for name in (session_id, UNKNOWN_SESSION)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len({re.sub(r"(state|code_challenge)=[^&]*", "", answer.headers["location"]) for answer in answers}) == 1
    assert len({tuple(answer.headers) for answer in answers}) == 1


async def test_without_access_every_session_host_answers_alike(
    visitor: Visitor, session_id: str, table: SessionsTable
) -> None:
    sessions = [UNKNOWN_SESSION, session_id, table.put(status="QUEUED"), table.put(status="STOPPED")]
    for headers in (PROGRAM, {"Sec-Fetch-Mode": "cors", "Accept": "*/*"}):
        answers = [await visitor.ask(address(name), "POST", headers) for name in sessions]
        assert len({(answer.status_code, repr(answer.headers), answer.text) for answer in answers}) == 1
    redirects = [await visitor.ask(address(name)) for name in sessions]
    assert [303] * len(sessions) == [redirect.status_code for redirect in redirects]
    assert len({re.sub(r"(state|code_challenge)=[^&]*", "", r.headers["location"]) for r in redirects}) == 1


async def test_an_entry_link_of_mode_link_leads_to_the_sign_in(visitor: Visitor, session_id: str) -> None:
    link = f"/.uat/enter?token={entry_token(session_id)}&return_to=/a"
    entered = await visitor.ask(address(session_id, link))
    assert (entered.status_code, entered.headers["location"]) == (303, "/a")
    assert "set-cookie" not in entered.headers
    assert "/login/oauth/" in (await visitor.ask(address(session_id, "/a"))).headers["location"]


async def test_a_cookie_of_mode_link_opens_nothing(visitor: Visitor, session_id: str) -> None:
    visitor.cookies[host(session_id)] = {ACCESS_COOKIE: access_token(session_id, seconds=24 * HOUR)}
    assert (await visitor.ask(address(session_id), headers=PROGRAM)).status_code == 401


async def test_the_status_of_a_waiting_page_is_told_and_renews_access_too(
    visitor: Visitor, table: SessionsTable, repository: str
) -> None:
    session_id = table.put(status="STARTING", repo=repository)
    status, script = address(session_id, "/.uat/status"), {"Sec-Fetch-Mode": "cors"}
    outside = await visitor.ask(status, headers=script)
    assert (outside.status_code, outside.json()["session_id"]) == (401, None)
    await visitor.signs_in(session_id)
    assert (await visitor.ask(address(session_id))).status_code == 503
    told = await visitor.ask(status, headers=script)
    assert (told.status_code, told.json()["status"], "set-cookie" in told.headers) == (200, "STARTING", False)
    visitor.lets_an_hour_pass(session_id)
    told = await visitor.ask(status, headers=script)
    assert (told.status_code, len(told.headers.get_list("set-cookie"))) == (200, 2)


async def test_a_session_that_has_ended_shows_its_end_and_nothing_else(
    signed_in: Visitor, session_id: str, table: SessionsTable, repository: str, upstream: Upstream
) -> None:
    assert (await signed_in.ask(address(session_id))).status_code == 200
    table.put(id=session_id, status="STOPPED", repo=repository, end_reason="Stopped by /stop.")
    shown = await until_answered(410, lambda: signed_in.ask(address(session_id)), 5)
    assert "Stopped by /stop." in shown.text
    count = len(upstream.requests)
    signed_in.lets_an_hour_pass(session_id)
    assert (await signed_in.ask(address(session_id))).status_code == 410
    assert count == len(upstream.requests)


async def test_a_sign_in_is_of_one_browser(visitor: Visitor, session_id: str, github: Server) -> None:
    callback = await visitor.returns(session_id)
    refused = await Visitor(github, visitor.proxy, visitor.person).ask(callback)
    assert refused.status_code == 400
    assert "This sign-in has expired" in refused.text
    assert "set-cookie" not in refused.headers
    assert (await visitor.ask(callback)).status_code == 303


@pytest.mark.parametrize(
    ("path", "status"), [("/callback", 400), ("/callback?state=x&code=y", 400), ("/x", 404), ("/.uat/callback", 404)]
)
async def test_the_sign_in_host_forwards_and_does_nothing_else(visitor: Visitor, path: str, status: int) -> None:
    assert status == (await visitor.ask(f"http://sign-in.{DOMAIN}:8080{path}")).status_code


async def test_without_an_app_everybody_is_told_that_sign_in_is_not_configured(
    start_proxy: StartProxy, github: Server, session_id: str, reader: str
) -> None:
    with start_proxy(**mode(github, UAT_SIGN_IN="{}")) as proxy:
        visitor = Visitor(github, proxy, reader)
        shown = await visitor.ask(address(session_id))
        assert shown.status_code == 500
        assert "Sign-in isn't configured" in html.unescape(shown.text)
        assert "sign-in not configured" in [line["message"] for line in proxy.log()]
        assert (await visitor.ask(address(session_id), headers=PROGRAM)).status_code == 401


async def test_the_sign_in_is_limited_as_every_question_is(
    start_proxy: StartProxy, github: Server, session_id: str
) -> None:
    with start_proxy(**mode(github)) as proxy:
        asking = {"Host": host(session_id), **NAVIGATION}
        statuses = await proxy.flood(session_id, "/", [asking | {"X-Forwarded-For": "203.0.113.5"}] * 610)
        assert (statuses[0], statuses[-1]) == (303, 429)
        assert {303, 429} == set(statuses)
        assert await proxy.flood(session_id, "/", [asking | {"X-Forwarded-For": "203.0.113.6"}]) == [303]


async def test_a_sign_in_is_no_visit_and_leaves_no_secret_in_the_log(
    start_proxy: StartProxy, github: Server, session_id: str, reader: str, haproxy_command: HaproxyCommand
) -> None:
    with start_proxy(**mode(github, LOG_LEVEL="DEBUG")) as proxy:
        visitor = Visitor(github, proxy, reader)
        callback = await visitor.returns(session_id)
        await visitor.ask(callback)
        assert session_id not in await haproxy_command(proxy, "show table visits")
        await visitor.ask(address(session_id))
        visitor.lets_an_hour_pass(session_id)
        await visitor.ask(address(session_id))
        text = proxy.log_file.read_text()
    assert "signed in" in text
    token = unseal(visitor.of(session_id)[RENEWAL_COOKIE], [KEY], session_id).token
    secret = github.credentials["client_secret"]
    query = dict(parse_qsl(urlsplit(callback).query))
    cookies = visitor.of(session_id)
    del cookies["own"]
    for part in (*query.values(), *cookies.values(), token, secret):
        assert part not in text


async def test_who_asks_for_the_sessions_page_signs_in_first_and_comes_back_to_it(
    visitor: Visitor, session_id: str
) -> None:
    signed_in = await visitor.signs_in(session_id, "/.uat/")
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/.uat/")
    page = await visitor.ask(address(session_id, "/.uat/"))
    assert (page.status_code, "Conversation" in page.text) == (200, True)


async def test_a_program_that_asks_for_the_sessions_page_without_access_is_not_redirected(
    visitor: Visitor, session_id: str
) -> None:
    response = await visitor.ask(address(session_id, "/.uat/events"), headers=PROGRAM)
    assert (response.status_code, response.json()["error"]) == (401, "signed_out")
