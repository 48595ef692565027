"""Mode `link`: who has the session's entry link sees it, and to everybody else all sessions look alike."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import jwt
import pytest
import websockets
from tests.integration.proxy.visitor import (
    ACCESS_COOKIE,
    GATED,
    KEY,
    NAVIGATION,
    OTHER_KEY,
    UPGRADE,
    access,
    access_token,
    entry_token,
    until_answered,
)

if TYPE_CHECKING:
    import httpx
    from tests.integration.proxy.conftest import (
        HaproxyCommand,
        Proxy,
        SessionsTable,
        StartProxy,
        Upstream,
    )
    from tests.integration.proxy.line import Line
    from websockets.asyncio.server import ServerConnection

DAY = 24 * 60 * 60


def key_in_map(session_id: str, token: str) -> str:
    return f"{token.rpartition('.')[2][:8]}@{session_id}"


async def get(proxy: Proxy, session_id: str, path: str = "/", **headers: str) -> httpx.Response:
    async with proxy.client(session_id, headers=headers) as client:
        return await client.get(path)


async def enter(proxy: Proxy, session_id: str, token: str, query: str = "", method: str = "GET") -> httpx.Response:
    async with proxy.client(session_id, headers=NAVIGATION) as client:
        return await client.request(method, f"/.uat/enter?token={token}{query}")


async def test_the_link_leads_to_the_clean_address_and_leaves_a_cookie_that_opens_it(
    gated: Proxy, session_id: str
) -> None:
    entered = await enter(gated, session_id, entry_token(session_id))
    assert (
        entered.status_code,
        *(entered.headers[name] for name in ("location", "cache-control", "referrer-policy")),
    ) == (303, "/", "no-store", "no-referrer")
    cookie, *attributes = entered.headers["set-cookie"].split("; ")
    assert ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", f"Max-Age={DAY}"] == attributes
    assert cookie.startswith(f"{ACCESS_COOKIE}=")
    shown = await get(gated, session_id, Cookie=cookie)
    assert (shown.status_code, shown.text) == (200, "the dev server")


async def test_a_cookie_ends_no_later_than_its_link(gated: Proxy, session_id: str) -> None:
    entered = await enter(gated, session_id, entry_token(session_id, seconds=600))
    (seconds,) = re.findall(r"Max-Age=(\d+)$", entered.headers["set-cookie"])
    assert 590 <= int(seconds) <= 600
    token = entered.headers["set-cookie"].partition(";")[0].partition("=")[2]
    link_expires_at = jwt.decode(entry_token(session_id, seconds=600), KEY, ["HS256"], audience="uat-entry")["exp"]
    assert jwt.decode(token, KEY, ["HS256"], audience="uat-access")["exp"] <= link_expires_at


@pytest.mark.parametrize(
    ("asked_for", "led_to"),
    [
        ("/a/b?c=d%26e", "/a/b?c=d&e"),
        ("/", "/"),
        ("", "/"),
        ("a", "/"),
        ("//evil.example/", "/"),
        ("/%5Cevil.example/", "/"),
        ("/%09/evil.example/", "/"),
        ("/a%0D%0ASet-Cookie:%20x=y", "/"),
        ("https://evil.example/", "/"),
    ],
)
async def test_it_leads_to_paths_of_its_own_host_only(
    gated: Proxy, session_id: str, asked_for: str, led_to: str
) -> None:
    entered = await enter(gated, session_id, entry_token(session_id), f"&return_to={asked_for}")
    assert (303, led_to) == (entered.status_code, entered.headers["location"])
    assert len(entered.headers.get_list("set-cookie")) == 1


async def test_head_says_what_get_says_for_following_a_link_grants_its_holder_nothing_new(
    gated: Proxy, session_id: str
) -> None:
    token = entry_token(session_id)
    head, again = [await enter(gated, session_id, token, method="HEAD") for _ in range(2)]
    assert (head.status_code, head.headers["location"], again.status_code) == (303, "/", 303)
    assert (await enter(gated, session_id, token)).status_code == 303


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        entry_token("11111111"),
        entry_token("00000000", key=OTHER_KEY),
        entry_token("00000000", seconds=-1),
        access_token("00000000"),
        entry_token("00000000", aud=["uat-entry", "uat-access"]),
        jwt.encode({"aud": "uat-entry", "sub": "00000000", "iat": 0}, KEY, "HS256"),
        jwt.encode({"aud": "uat-entry", "sub": "00000000", "iat": 0, "exp": 2**31}, KEY * 2, "HS512"),
        jwt.encode({"aud": "uat-entry", "sub": "00000000", "iat": 0, "exp": 2**31}, "", "none"),
    ],
    ids=[
        "none",
        "nonsense",
        "of another session",
        "of another key",
        "over",
        "a cookie's",
        "of two purposes",
        "endless",
        "of another algorithm",
        "unsigned",
    ],
)
async def test_a_link_that_is_no_good_is_a_401_page_that_says_where_the_new_one_is(gated: Proxy, token: str) -> None:
    refused = await enter(gated, "00000000", token)
    assert refused.status_code == 401
    assert "This link has expired" in refused.text
    assert "comment on the pull request" in refused.text
    assert "set-cookie" not in refused.headers
    assert refused.headers["cache-control"] == "no-store"


async def test_a_program_reads_of_a_bad_link_as_json(gated: Proxy) -> None:
    refused = await get(gated, "00000000", "/.uat/enter?token=x", Accept="application/json")
    assert (refused.status_code, refused.json()["error"]) == (401, "link_expired")


NAVIGATIONS = [
    NAVIGATION,
    {**NAVIGATION, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"},
    {"Accept": "text/html,*/*;q=0.8"},
]
OTHER_REQUESTS = [
    ("GET", {"Sec-Fetch-Mode": "cors", "Accept": "text/html"}),
    ("GET", {"Accept": "*/*"}),
    ("GET", {**NAVIGATION, **UPGRADE}),
    ("POST", NAVIGATION),
    ("POST", {"Accept": "text/html"}),
    ("OPTIONS", {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}),
]


@pytest.mark.parametrize("headers", NAVIGATIONS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_navigates_without_access_gets_the_page(
    gated: Proxy, session_id: str, upstream: Upstream, method: str, headers: dict[str, str]
) -> None:
    async with gated.client(session_id, headers=headers) as client:
        response = await client.request(method, "/any/path")
    assert (response.status_code, response.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert ("Open this session from its pull request" in response.text) == (method == "GET")
    assert upstream.requests == []


@pytest.mark.parametrize(("method", "headers"), OTHER_REQUESTS)
async def test_every_other_request_without_access_gets_401_and_never_a_redirect(
    gated: Proxy, session_id: str, upstream: Upstream, method: str, headers: dict[str, str]
) -> None:
    async with gated.client(session_id) as client:
        response = await client.request(method, "/any/path", headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (401, "application/json")
    assert response.json()["error"] == "signed_out"
    assert upstream.requests == []


async def test_without_access_every_session_host_answers_alike(
    gated: Proxy, session_id: str, table: SessionsTable
) -> None:
    hosts = ["00000000", session_id, *(table.put(status=status) for status in ("QUEUED", "STARTING", "STOPPED"))]
    for headers in ({**NAVIGATION}, {"Accept": "application/json"}, access("11111111"), UPGRADE):
        answers = []
        for host in hosts:
            async with gated.client(host, headers=headers) as client:
                response = await client.get("/health")
            answers.append((response.status_code, dict(response.headers), response.content))
        assert [401] * len(hosts) == [status for status, *_ in answers]
        assert len({repr(answer) for answer in answers}) == 1


async def test_who_has_access_is_told_all_about_a_session_that_has_ended(gated: Proxy, table: SessionsTable) -> None:
    session_id = table.put(status="STOPPED", end_reason="Stopped by /stop.")
    response = await get(gated, session_id, **access(session_id), Accept="text/html")
    assert response.status_code == 410
    assert "Stopped by /stop." in response.text


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        access_token("11111111"),
        access_token("00000000", key=OTHER_KEY),
        access_token("00000000", seconds=-1),
        entry_token("00000000"),
    ],
    ids=["empty", "nonsense", "of another session", "of another key", "over", "a link's"],
)
async def test_a_cookie_that_is_no_good_opens_nothing(gated: Proxy, token: str) -> None:
    assert (await get(gated, "00000000", Cookie=f"{ACCESS_COOKIE}={token}")).status_code == 401


async def test_a_websocket_needs_access_too(gated: Proxy, table: SessionsTable, unused_address: str) -> None:
    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")

    async with websockets.serve(greet, unused_address, 3000):
        session_id = table.put(ip=unused_address, port=3000)
        uri = f"ws://{session_id}.uat.example.test:8080/"
        with pytest.raises(websockets.InvalidStatus, match="HTTP 401"):
            await websockets.connect(uri, host=gated.address, port=8080)
        cookie = access(session_id)
        async with websockets.connect(uri, additional_headers=cookie, host=gated.address, port=8080) as socket:
            assert await socket.recv() == "hello"


async def test_haproxy_remembers_a_good_cookie_and_its_end(
    gated: Proxy, session_id: str, haproxy_command: HaproxyCommand
) -> None:
    token = access_token(session_id)
    for _ in range(3):
        assert (await get(gated, session_id, Cookie=f"{ACCESS_COOKIE}={token}")).status_code == 200
    listing = await haproxy_command(gated, "show map admissions.map")
    expires_at = jwt.decode(token, KEY, ["HS256"], audience="uat-access")["exp"]
    assert listing.count(f" {key_in_map(session_id, token)} {expires_at}:{token}\n") == 1


async def test_what_the_map_holds_is_not_asked_again_and_its_end_is_heeded(
    gated: Proxy, session_id: str, haproxy_command: HaproxyCommand
) -> None:
    forged = "only.the-map.admits-it"
    key = key_in_map(session_id, forged)
    await haproxy_command(gated, f"add map admissions.map {key} {2**31 - 1}:{forged}")
    assert (await get(gated, session_id, Cookie=f"{ACCESS_COOKIE}={forged}")).status_code == 200
    await haproxy_command(gated, f"del map admissions.map {key}; add map admissions.map {key} 1700000000:{forged}")
    assert (await get(gated, session_id, Cookie=f"{ACCESS_COOKIE}={forged}")).status_code == 401


@pytest.mark.parametrize("shown", ["x.y.admits-it", "only.the-map.admits-it.", "only.the-map.admits-me", "admits-it"])
async def test_a_cookie_that_shares_no_more_than_the_key_in_the_map_is_not_admitted(
    gated: Proxy, session_id: str, haproxy_command: HaproxyCommand, shown: str
) -> None:
    forged = "only.the-map.admits-it"
    await haproxy_command(gated, f"add map admissions.map {key_in_map(session_id, forged)} {2**31 - 1}:{forged}")
    assert (await get(gated, session_id, Cookie=f"{ACCESS_COOKIE}={shown}")).status_code == 401
    assert (await get(gated, session_id, Cookie=f"{ACCESS_COOKIE}={forged}")).status_code == 200


async def test_the_admissions_of_a_session_end_with_it(
    gated: Proxy, session_id: str, upstream: Upstream, table: SessionsTable, haproxy_command: HaproxyCommand
) -> None:
    other = table.put(ip=upstream.address, port=3000)
    tokens = {id_: access_token(id_) for id_ in (session_id, other)}
    for id_, token in tokens.items():
        await get(gated, id_, Cookie=f"{ACCESS_COOKIE}={token}")
    table.put(id=session_id, status="STOPPED")
    async with gated.client(session_id, headers={"Cookie": f"{ACCESS_COOKIE}={tokens[session_id]}"}) as client:
        await until_answered(410, lambda: client.get("/"), 5)
    # The session's end is known; what is asked for after it is learnt anew, and what was known before is gone.
    listing = await haproxy_command(gated, "show map admissions.map")
    assert key_in_map(other, tokens[other]) in listing
    assert listing.count(key_in_map(session_id, tokens[session_id])) <= 1


async def test_a_restarted_proxy_lets_in_who_had_access(start_proxy: StartProxy, session_id: str) -> None:
    cookie = ""
    for _ in range(2):
        with start_proxy(**GATED) as proxy:
            if not cookie:
                cookie = (await enter(proxy, session_id, entry_token(session_id))).headers["set-cookie"].split(";")[0]
            assert (await get(proxy, session_id, Cookie=cookie)).status_code == 200


async def test_keys_can_be_changed_without_signing_anyone_out(start_proxy: StartProxy, session_id: str) -> None:
    keys = {"signing_key": OTHER_KEY, "verifying_key": KEY}
    with start_proxy(UAT_ACCESS="link", UAT_ACCESS_KEYS=json.dumps(keys)) as proxy:
        assert (await get(proxy, session_id, **access(session_id, key=KEY))).status_code == 200
        assert (await get(proxy, session_id, **access(session_id, key=OTHER_KEY))).status_code == 200
        entered = await enter(proxy, session_id, entry_token(session_id, key=KEY))
        assert entered.status_code == 303
        token = entered.headers["set-cookie"].partition(";")[0].partition("=")[2]
        assert session_id == jwt.decode(token, OTHER_KEY, ["HS256"], audience="uat-access")["sub"]
        assert (await get(proxy, session_id, **access(session_id, key="x" * 32))).status_code == 401


async def test_the_gate_needs_no_table(
    start_proxy: StartProxy, session_id: str, line: Line, upstream: Upstream
) -> None:
    with start_proxy(endpoint=f"http://127.0.0.1:{line.port}", **GATED) as proxy:
        assert (await get(proxy, session_id, **access(session_id))).status_code == 200
        await line.cut()
        assert (await get(proxy, session_id, **access(session_id))).status_code == 200
        assert (await get(proxy, session_id, **access(session_id, seconds=600))).status_code == 200
        assert (await enter(proxy, session_id, entry_token(session_id))).status_code == 303
        assert (await get(proxy, session_id)).status_code == 401
    assert len(upstream.requests) == 3


async def test_no_token_is_ever_logged(start_proxy: StartProxy, table: SessionsTable, unused_address: str) -> None:
    session_id = table.put(ip=unused_address, port=3000)
    entry, cookie, bad = entry_token(session_id), access_token(session_id), entry_token(session_id, key=OTHER_KEY)
    with start_proxy(**GATED, LOG_LEVEL="DEBUG") as proxy:
        await enter(proxy, session_id, entry)
        await enter(proxy, session_id, bad)
        await get(proxy, session_id, f"/?token={entry}", Cookie=f"{ACCESS_COOKIE}={cookie}")
        await get(proxy, session_id, f"/?token={entry}", Cookie=f"{ACCESS_COOKIE}={bad}")
        await get(proxy, session_id, f"/.uat/none?token={entry}", Accept="text/html")
    text = proxy.log_file.read_text()
    assert "entry link refused" in text
    assert 502 in [line["status"] for line in proxy.log() if "status" in line] or "503" in text
    for token in (entry, cookie, bad):
        assert token not in text
        assert token.rpartition(".")[2] not in text


@pytest.mark.parametrize("path", ["/.uat/other", "/.uat/none", "/.uat/none/../enter"])
async def test_our_own_paths_never_reach_a_dev_server(
    gated: Proxy, session_id: str, upstream: Upstream, path: str, haproxy_command: HaproxyCommand
) -> None:
    host = f"{session_id}.uat.example.test".encode()
    cookie = access(session_id)["Cookie"].encode()
    for method in (b"GET", b"POST"):
        response = await gated.exchange(
            b"%s %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nConnection: close\r\n\r\n"
            % (method, path.encode(), host, cookie)
        )
        assert b"HTTP/1.1 404 " in response
    assert upstream.requests == []
    assert session_id not in await haproxy_command(gated, "show table visits")


async def test_an_entered_link_is_no_visit(
    gated: Proxy, session_id: str, upstream: Upstream, haproxy_command: HaproxyCommand
) -> None:
    assert (await enter(gated, session_id, entry_token(session_id))).status_code == 303
    assert upstream.requests == []
    assert session_id not in await haproxy_command(gated, "show table visits")


async def test_in_public_mode_links_lead_to_the_session_and_leave_nothing(proxy: Proxy, session_id: str) -> None:
    entered = await enter(proxy, session_id, "whatever", "&return_to=/a")
    assert (entered.status_code, entered.headers["location"]) == (303, "/a")
    assert "set-cookie" not in entered.headers
    assert (await get(proxy, session_id)).status_code == 200


async def test_health_needs_no_access(gated: Proxy) -> None:
    async with gated.client("") as client:
        assert (await client.get("/health", headers={"Host": "10.0.3.4:8080"})).text == "ok"


async def test_on_one_machine_the_index_lists_sessions_and_opens_none(gated: Proxy, table: SessionsTable) -> None:
    about = {"repo": "acme/shop", "issue_title": "Show the menu", "created_at": "2026-11-22T08:00:00.000Z"}
    session_id = table.put(**about)
    for _ in range(60):  # what the table says is kept for two seconds
        if session_id in (page := await get(gated, "sign-in")).text:
            break
        await asyncio.sleep(0.2)
    assert session_id in page.text
    assert "token=" not in page.text
    assert "set-cookie" not in page.headers
    assert (await get(gated, session_id, "/.uat/")).status_code == 401
