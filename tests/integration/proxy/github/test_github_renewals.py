"""Mode `github` after the hour: GitHub is asked again, and the visitor does not notice."""

from __future__ import annotations

import asyncio
import html
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.proxy.github.visitors import (
    HOUR,
    PROGRAM,
    Requests,
    Visitor,
    address,
    forget_faults,
    host,
    mode,
    plan_fault,
    take_away,
)
from tests.integration.proxy.visitor import ACCESS_COOKIE, KEY, OTHER_KEY

from cloud_agent_proxy.sign_in.github_sign_in import RENEWAL_COOKIE
from cloud_agent_proxy.sign_in.sealing import Renewal, unseal

if TYPE_CHECKING:
    import httpx
    from tests.integration.proxy.conftest import SessionsTable, StartProxy, StartUpstream, Text, Upstream
    from tests.integration.proxy.line import Line

    from local_github.testing import Server


@pytest.mark.parametrize("only_renewal", [True, False])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_access_is_renewed_after_the_hour_within_the_request(
    signed_in: Visitor, session_id: str, upstream: Upstream, method: str, *, only_renewal: bool
) -> None:
    signed_in.lets_an_hour_pass(session_id)
    if only_renewal:
        del signed_in.of(session_id)[ACCESS_COOKIE]
    shown = await signed_in.ask(address(session_id, "/save"), method, PROGRAM, b"x" if method == "POST" else None)
    assert shown.status_code == 200
    names = [cookie.partition("=")[0] for cookie in shown.headers.get_list("set-cookie")]
    assert names == ["own", ACCESS_COOKIE, RENEWAL_COOKIE]
    again = await signed_in.ask(address(session_id), headers=PROGRAM)
    assert (again.status_code, again.headers.get_list("set-cookie")) == (200, ["own=1; Path=/"])
    assert [f"{method} /save", "GET /"] == [head.decode().partition(" HTTP/1.1\r\n")[0] for head in upstream.requests]


async def test_what_is_renewed_is_kept_when_the_dev_server_does_not_answer(
    visitor: Visitor, table: SessionsTable, unused_address: str, repository: str
) -> None:
    session_id = table.put(ip=unused_address, port=3000, repo=repository)
    await visitor.signs_in(session_id)
    visitor.lets_an_hour_pass(session_id)
    shown = await visitor.ask(address(session_id))
    assert shown.status_code == 502
    assert len(shown.headers.get_list("set-cookie")) == 2


async def test_a_dev_server_cannot_pass_its_cookies_for_renewed_ones(
    visitor: Visitor, table: SessionsTable, start_upstream: StartUpstream, text: Text, repository: str
) -> None:
    forged = (f"Set-Cookie: {ACCESS_COOKIE}=forged; Path=/; Secure", f"Set-Cookie: {RENEWAL_COOKIE}=forged")
    upstream = await start_upstream(text("hello", *forged))
    session_id = table.put(ip=upstream.address, port=3000, repo=repository)
    await visitor.signs_in(session_id)
    visitor.lets_an_hour_pass(session_id)
    shown = await visitor.ask(address(session_id))
    assert (shown.status_code, len(shown.headers.get_list("set-cookie"))) == (200, 2)
    assert "forged" not in repr(shown.headers)


async def test_many_requests_of_one_page_are_one_question_to_github(
    signed_in: Visitor, session_id: str, api: httpx.Client
) -> None:
    signed_in.lets_an_hour_pass(session_id)
    asked, cookies = Requests(api), signed_in.of(session_id)
    tabs = [replace(signed_in, cookies={host(session_id): dict(cookies)}) for _ in range(20)]
    shown = await asyncio.gather(*(tab.ask(address(session_id), headers=PROGRAM) for tab in tabs))
    assert [response.status_code for response in shown] == [200] * 20
    assert len(asked.routes()) == 1


async def test_who_lost_the_repository_is_asked_to_sign_in_and_then_refused(
    signed_in: Visitor, session_id: str, api: httpx.Client, repository: str
) -> None:
    take_away(api, repository, signed_in.person)
    assert (await signed_in.ask(address(session_id))).status_code == 200  # GitHub's word is taken for an hour
    signed_in.lets_an_hour_pass(session_id)
    asked = Requests(api)
    for _ in range(3):
        refused = await signed_in.ask(address(session_id), headers=PROGRAM)
        assert (refused.status_code, refused.json()["error"]) == (401, "signed_out")
    assert len(asked.routes()) == 1
    assert (await signed_in.signs_in(session_id)).status_code == 403


async def test_a_renewal_cookie_opens_no_other_session(
    signed_in: Visitor, session_id: str, table: SessionsTable, upstream: Upstream, repository: str
) -> None:
    other = table.put(ip=upstream.address, port=3000, repo=repository)
    signed_in.cookies[host(other)] = dict(signed_in.of(session_id))
    assert (await signed_in.ask(address(other), headers=PROGRAM)).status_code == 401


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 502}, {"kind": "drop"}, {"kind": "rate_limit"}])
async def test_while_github_is_away_access_lives_on_and_nobody_new_comes_in(
    signed_in: Visitor, session_id: str, api: httpx.Client, stranger: str, fault: dict[str, Any]
) -> None:
    newcomer = Visitor(signed_in.github, signed_in.proxy, stranger)
    callback = await newcomer.returns(session_id)
    plan_fault(api, path="/(login|user|repos)\\b.*", count=20, **fault)
    refused = await newcomer.ask(callback)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert "GitHub isn't responding" in html.unescape(refused.text)
    assert (await signed_in.ask(address(session_id))).status_code == 200
    signed_in.lets_an_hour_pass(session_id)
    shown = await signed_in.ask(address(session_id))
    assert shown.status_code == 200
    assert "Max-Age=300" in shown.headers.get_list("set-cookie")[1]


def asked_long_ago(visitor: Visitor, session_id: str) -> None:
    """Show the renewal cookie of one for whom GitHub was last asked two hours ago."""
    renewal = unseal(visitor.of(session_id)[RENEWAL_COOKIE], [KEY], session_id)
    older = Renewal(renewal.token, renewal.ends_at, asked_at=int(time.time()) - 2 * HOUR)
    visitor.of(session_id)[RENEWAL_COOKIE] = older.sealed([KEY], session_id)
    visitor.lets_an_hour_pass(session_id)


async def test_a_long_absence_of_github_is_said_and_over_when_it_is_back(
    signed_in: Visitor, session_id: str, api: httpx.Client, upstream: Upstream
) -> None:
    asked_long_ago(signed_in, session_id)
    plan_fault(api, path="/repos/.*", count=20, kind="drop")
    page, program = [await signed_in.ask(address(session_id), headers=headers) for headers in (None, PROGRAM)]
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert (program.status_code, program.json()["error"]) == (503, "access_unchecked")
    status = await signed_in.ask(address(session_id, "/.uat/status"), headers=PROGRAM)
    assert (status.status_code, *(status.json()[n] for n in ("error", "session_id"))) == (503, "access_unchecked", None)
    assert upstream.requests == []
    forget_faults(api)
    asked_long_ago(signed_in, session_id)  # sealed anew, so that the last answer is not shared
    assert (await signed_in.ask(address(session_id))).status_code == 200


async def test_a_silent_github_keeps_nobody_waiting_for_long(
    signed_in: Visitor, session_id: str, api: httpx.Client
) -> None:
    signed_in.lets_an_hour_pass(session_id)
    plan_fault(api, path="/repos/.*", kind="timeout", seconds=8)
    assert (await signed_in.ask(address(session_id))).status_code == 200  # else HAProxy would have given up: 503


async def test_while_the_table_is_away_access_is_renewed_for_a_session_that_is_known(
    start_proxy: StartProxy, github: Server, line: Line, reader: str, session_id: str
) -> None:
    with start_proxy(endpoint=f"http://127.0.0.1:{line.port}", **mode(github)) as proxy:
        visitor = Visitor(github, proxy, reader)
        await visitor.signs_in(session_id)
        await line.cut()
        visitor.lets_an_hour_pass(session_id)
        assert (await visitor.ask(address(session_id))).status_code == 200


async def test_keys_can_be_changed_without_signing_anyone_out(
    start_proxy: StartProxy, github: Server, signed_in: Visitor, session_id: str
) -> None:
    keys = json.dumps({"signing_key": OTHER_KEY, "verifying_key": KEY})
    with start_proxy(**mode(github, UAT_ACCESS_KEYS=keys)) as proxy:
        signed_in.proxy = proxy
        assert (await signed_in.ask(address(session_id))).status_code == 200
        signed_in.lets_an_hour_pass(session_id)
        assert (await signed_in.ask(address(session_id))).status_code == 200
        assert unseal(signed_in.of(session_id)[RENEWAL_COOKIE], [OTHER_KEY], session_id)
    with start_proxy(**mode(github, UAT_ACCESS_KEYS=json.dumps({"signing_key": OTHER_KEY}))) as proxy:
        signed_in.proxy = proxy
        assert (await signed_in.ask(address(session_id))).status_code == 200
        signed_in.of(session_id).pop(ACCESS_COOKIE)
        assert (await signed_in.ask(address(session_id), headers=PROGRAM)).status_code == 200
