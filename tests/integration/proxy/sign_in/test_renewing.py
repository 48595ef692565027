"""Access is renewed on GitHub's word, for a short while without it, and never beyond the user's token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.integration.proxy.github.visitors import Requests
from tests.integration.proxy.sign_in.visitors import (
    DOMAIN,
    KEY,
    ORIGIN,
    OTHER_KEY,
    SESSION,
    UNKNOWN_SESSION,
    Browser,
    Proxy,
    renewed,
    revoke,
    shut_out,
)

from cloud_agent_proxy.sign_in import ACCESS_SECONDS
from cloud_agent_proxy.sign_in.github_sign_in import GRACE_SECONDS, RENEWAL_COOKIE
from cloud_agent_proxy.sign_in.results import Cause, Failed, Granted, Redirect, Renewed, SignInNeeded
from cloud_agent_proxy.sign_in.sealing import unseal

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from local_github.testing import Server


async def test_access_is_renewed_on_githubs_word(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    await proxy.signed_in(browser, reader)
    result = await renewed(proxy_with(hours=1), browser)
    assert isinstance(result, Renewed)
    assert result.access_seconds == ACCESS_SECONDS
    assert result.renewal
    assert result.renewal.max_age_seconds in range(25_190, 25_201)  # it ends when it would have ended


async def test_who_loses_the_repository_loses_the_session(
    proxy: Proxy, browser: Browser, reader: str, api: httpx.Client, repository: str
) -> None:
    await proxy.signed_in(browser, reader)
    assert isinstance(await renewed(proxy, browser), Renewed)
    shut_out(api, repository, reader)
    assert SignInNeeded() == await renewed(proxy, browser)


async def test_who_takes_the_token_back_signs_in_again(
    proxy: Proxy, browser: Browser, reader: str, server: Server
) -> None:
    await proxy.signed_in(browser, reader)
    revoke(server, unseal(browser.cookies[RENEWAL_COOKIE], [KEY], SESSION).token)
    assert SignInNeeded() == await renewed(proxy, browser)


async def test_the_end_of_the_token_is_the_end_of_renewals(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    await proxy.signed_in(browser, reader)
    last = await renewed(proxy_with(hours=7.5), browser)
    assert isinstance(last, Renewed)
    assert last.access_seconds in range(1_790, 1_801)
    assert SignInNeeded() == await renewed(proxy_with(hours=8), browser)


async def test_a_short_absence_of_github_signs_nobody_out_and_a_long_one_everybody(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    nowhere = "http://127.0.0.1:9"
    await proxy.signed_in(browser, reader)
    just_expired = await renewed(proxy_with(url=nowhere, hours=1), browser)
    assert isinstance(just_expired, Renewed)
    assert just_expired.access_seconds in range(GRACE_SECONDS - 10, GRACE_SECONDS + 1)
    assert just_expired.renewal is None
    later = await renewed(proxy_with(url=nowhere, hours=64 / 60), browser)
    assert isinstance(later, Renewed)
    assert later.access_seconds in range(50, 61)
    assert Failed(Cause.GITHUB_AWAY) == await renewed(proxy_with(url=nowhere, hours=66 / 60), browser)
    assert isinstance(await renewed(proxy_with(hours=66 / 60), browser), Renewed)
    assert isinstance(await renewed(proxy_with(url=nowhere, hours=125 / 60), browser), Renewed)  # counted from there


async def test_early_renewals_while_github_is_away_are_short_ones(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    await proxy.signed_in(browser, reader)
    assert Renewed(GRACE_SECONDS, None) == await renewed(proxy_with(url="http://127.0.0.1:9"), browser)


async def test_the_tables_absence_has_the_same_grace(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    await proxy.signed_in(browser, reader)
    assert Renewed(GRACE_SECONDS, None) == await renewed(proxy_with(table_is_away=True), browser)
    assert Failed(Cause.SESSIONS_AWAY) == await renewed(proxy_with(table_is_away=True, hours=1.5), browser)


async def test_a_renewal_opens_its_own_session_alone(proxy: Proxy, browser: Browser, reader: str) -> None:
    await proxy.signed_in(browser, reader)
    sealed = browser.cookies[RENEWAL_COOKIE]
    assert SignInNeeded() == await proxy.sign_in.renew(UNKNOWN_SESSION, sealed)
    assert SignInNeeded() == await proxy.sign_in.renew(SESSION, sealed[:-4] + "AAAA")
    assert SignInNeeded() == await proxy.sign_in.renew(SESSION, "")


async def test_requests_that_come_together_ask_github_once(
    proxy: Proxy, browser: Browser, reader: str, api: httpx.Client
) -> None:
    await proxy.signed_in(browser, reader)
    asked = Requests(api)
    results = await asyncio.gather(*(renewed(proxy, browser) for _ in range(20)))
    assert all(isinstance(result, Renewed) for result in results)
    assert asked.routes() == ["GET /repos/{owner}/{repo}"]
    assert isinstance(await renewed(proxy, browser), Renewed)  # and the next ask for themselves


async def test_keys_rotate_and_nobody_notices(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    on_the_way = await proxy.visit(browser, reader)
    await proxy.signed_in(browser, reader)
    sealed_before = dict(browser.cookies)
    rotated = proxy_with(OTHER_KEY, KEY)
    assert isinstance(rotated.sign_in.forward(f"https://sign-in.{DOMAIN}", on_the_way), Redirect)
    assert isinstance(await rotated.sign_in.finish(SESSION, ORIGIN, on_the_way, browser.cookies), Granted)
    assert isinstance(await renewed(rotated, browser), Renewed)
    done = proxy_with(OTHER_KEY)
    assert isinstance(await renewed(done, browser), Renewed)  # the renewal came sealed with the new key
    assert SignInNeeded() == await done.sign_in.renew(SESSION, sealed_before[RENEWAL_COOKIE])
