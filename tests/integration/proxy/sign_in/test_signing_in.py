"""The sign-in against the real local GitHub: who may read a session's repository comes in, and nobody else."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.proxy.github.visitors import Requests, new_person
from tests.integration.proxy.sign_in.visitors import (
    DOMAIN,
    ORIGIN,
    SESSION,
    UNKNOWN_SESSION,
    Browser,
    Proxy,
    query_of,
    renewed,
)

from cloud_agent_proxy.sign_in.github_sign_in import NONCE_COOKIE, RENEWAL_COOKIE
from cloud_agent_proxy.sign_in.results import Cause, Failed, Granted, Refused

if TYPE_CHECKING:
    import httpx

    from local_github.testing import Server


async def test_who_may_read_the_repository_comes_in(proxy: Proxy, browser: Browser, reader: str) -> None:
    result = await proxy.signed_in(browser, reader)
    assert isinstance(result, Granted)
    assert (reader, "/path?a=1", 3_600) == (result.login, result.return_to, result.access_seconds)
    assert result.renewal.name == RENEWAL_COOKIE
    assert result.renewal.max_age_seconds in range(28_795, 28_801)  # as long as the user's token lives


def test_cookies_belong_to_one_host_and_to_no_script(proxy: Proxy) -> None:
    begun = proxy.sign_in.begin(SESSION, ORIGIN, "/", {})
    assert begun.cookie
    name, *attributes = begun.cookie.header.split("; ")
    assert f"{NONCE_COOKIE}={begun.cookie.value}" == name
    assert {"Path=/", "Max-Age=600", "Secure", "HttpOnly", "SameSite=Lax"} == set(attributes)


@pytest.mark.parametrize(
    ("origin", "callback"),
    [
        (f"https://{SESSION}.{DOMAIN}", f"https://sign-in.{DOMAIN}/callback"),
        (f"http://{SESSION}.{DOMAIN}:8080", f"http://sign-in.{DOMAIN}:8080/callback"),
        ("https://evil.example", f"https://sign-in.{DOMAIN}/callback"),
    ],
)
def test_github_is_told_the_one_callback_address(proxy: Proxy, origin: str, callback: str) -> None:
    assert callback == query_of(proxy.sign_in.begin(SESSION, origin, "/", {}).url)["redirect_uri"]


async def test_who_may_not_is_refused(proxy: Proxy, browser: Browser, api: httpx.Client) -> None:
    stranger = new_person(api)
    assert Refused(stranger, "/path?a=1") == await proxy.signed_in(browser, stranger)


async def test_a_session_that_does_not_exist_refuses_alike(
    proxy: Proxy, browser: Browser, reader: str, api: httpx.Client
) -> None:
    async def refusal_at(session_id: str, person: str) -> tuple[Any, list[str]]:
        origin = f"https://{session_id}.{DOMAIN}"
        begun = proxy.sign_in.begin(session_id, origin, "/", {})
        browser.keep(begun)
        query = query_of(await asyncio.to_thread(browser.at_github, begun.url, person))
        asked = Requests(api)
        result = await proxy.sign_in.finish(session_id, origin, query, browser.cookies)
        return result, asked.routes()

    stranger = new_person(api)
    assert await refusal_at(SESSION, stranger) == await refusal_at(UNKNOWN_SESSION, stranger)
    assert Refused(reader, "/") == (await refusal_at(UNKNOWN_SESSION, reader))[0]


async def test_who_says_no_at_github_is_not_signed_in(proxy: Proxy, browser: Browser, reader: str) -> None:
    query = await proxy.visit(browser, reader, "cancel")
    assert Failed(Cause.DENIED, "/path?a=1") == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


async def test_two_tabs_sign_in_at_the_same_time(proxy: Proxy, browser: Browser, reader: str) -> None:
    first = await proxy.visit(browser, reader)
    second = await proxy.visit(browser, reader)
    for query in (first, second):
        assert isinstance(await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies), Granted)


@pytest.mark.parametrize("path", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/.uat/callback"])
async def test_nobody_is_sent_elsewhere(proxy: Proxy, browser: Browser, reader: str, path: str) -> None:
    begun = proxy.sign_in.begin(SESSION, ORIGIN, path, {})
    browser.keep(begun)
    query = query_of(await asyncio.to_thread(browser.at_github, begun.url, reader))
    result = await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)
    assert isinstance(result, Granted)
    assert result.return_to == "/"


async def test_no_log_names_a_secret(
    proxy: Proxy, browser: Browser, reader: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    query = await proxy.visit(browser, reader)
    result = await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)
    assert isinstance(result, Granted)
    browser.keep(result)
    await renewed(proxy, browser)
    await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)
    # The visitor's own requests are logged too, for they are made by httpx in this process.
    ours = [record for record in caplog.records if "/login/oauth/authorize" not in record.getMessage()]
    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    assert "signed in" in told
    assert "ghu_" not in told
    secrets_ = (server.credentials["client_secret"], query["code"], *browser.cookies.values(), result.renewal.value)
    assert not [secret for secret in secrets_ if secret in told]
