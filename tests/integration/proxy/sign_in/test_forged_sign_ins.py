"""Sign-ins that were not begun here, by this browser, for this session, just now: none of them is finished."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.sign_in.visitors import (
    DOMAIN,
    ORIGIN,
    OTHER_KEY,
    SESSION,
    UNKNOWN_SESSION,
    Browser,
    Proxy,
    exchange,
    query_of,
)

from cloud_agent_proxy.sign_in.github_sign_in import NONCE_COOKIE
from cloud_agent_proxy.sign_in.results import Cause, Failed, Granted

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_github.testing import Server


@pytest.mark.parametrize("state", [None, "", "forged", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwOWUyMmE4YiJ9."])
async def test_a_wrong_state_goes_nowhere(proxy: Proxy, browser: Browser, reader: str, state: str | None) -> None:
    query = await proxy.visit(browser, reader)
    query = {name: value for name, value in {**query, "state": state}.items() if value is not None}
    assert Failed(Cause.EXPIRED) == proxy.sign_in.forward(f"https://sign-in.{DOMAIN}", query)
    assert Failed(Cause.EXPIRED) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


async def test_a_state_of_another_key_goes_nowhere(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    query = await proxy_with(OTHER_KEY).visit(browser, reader)
    assert Failed(Cause.EXPIRED) == proxy.sign_in.forward(f"https://sign-in.{DOMAIN}", query)
    assert Failed(Cause.EXPIRED) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


async def test_a_state_of_another_session_signs_nobody_in(proxy: Proxy, browser: Browser, reader: str) -> None:
    query = await proxy.visit(browser, reader)
    other = f"https://{UNKNOWN_SESSION}.{DOMAIN}"
    result = await proxy.sign_in.finish(UNKNOWN_SESSION, other, query, browser.cookies)
    assert Failed(Cause.EXPIRED) == result


async def test_a_sign_in_of_another_browser_is_not_finished(proxy: Proxy, server: Server, reader: str) -> None:
    """Else somebody could sign a visitor in under their own name, or use a code they have seen."""
    attacker, victim = Browser(server), Browser(server)
    query = await proxy.visit(attacker, reader)
    await proxy.visit(victim, reader)
    for cookies in ({}, victim.cookies, {NONCE_COOKIE: ""}):
        assert Failed(Cause.EXPIRED) == await proxy.sign_in.finish(SESSION, ORIGIN, query, cookies)
    assert isinstance(await proxy.sign_in.finish(SESSION, ORIGIN, query, attacker.cookies), Granted)


async def test_github_does_not_take_the_code_without_its_verifier(
    proxy: Proxy, server: Server, browser: Browser, reader: str
) -> None:
    code = (await proxy.visit(browser, reader))["code"]
    assert exchange(server, code)["error"] == "bad_verification_code"


async def test_a_sign_in_is_finished_once(proxy: Proxy, browser: Browser, reader: str) -> None:
    query = await proxy.visit(browser, reader)
    assert isinstance(await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies), Granted)
    assert Failed(Cause.EXPIRED) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


async def test_a_sign_in_begun_long_ago_is_not_finished(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    eleven_minutes_ago = proxy_with(hours=-11 / 60).sign_in
    begun = eleven_minutes_ago.begin(SESSION, ORIGIN, "/", {})
    browser.keep(begun)
    query = query_of(await asyncio.to_thread(browser.at_github, begun.url, reader))
    assert Failed(Cause.EXPIRED) == proxy.sign_in.forward(f"https://sign-in.{DOMAIN}", query)
    assert Failed(Cause.EXPIRED) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)
