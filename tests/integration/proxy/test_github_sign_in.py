"""The sign-in against the real local GitHub: who may read a session's repository comes in, and nobody else."""

import asyncio
import html
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from tests.integration.local_github.server import Server
from tests.integration.proxy.github.visitors import Requests, new_person

from cloud_agent_proxy.sessions_table import TableUnavailableError
from cloud_agent_proxy.sign_in.github import ClientCredentials, GitHub
from cloud_agent_proxy.sign_in.github_sign_in import (
    ACCESS_SECONDS,
    GRACE_SECONDS,
    NONCE_COOKIE,
    RENEWAL_COOKIE,
    GitHubSignIn,
)
from cloud_agent_proxy.sign_in.results import (
    Cause,
    Failed,
    Granted,
    Redirect,
    Refused,
    Renewed,
    SignInNeeded,
)
from cloud_agent_proxy.sign_in.sealing import unseal

DOMAIN = "uat.example.test"
CALLBACK = f"https://sign-in.{DOMAIN}/callback"
KEY, OTHER_KEY = "first-key" * 4, "other-key" * 4
SESSION, UNKNOWN_SESSION = "09e22a8b", "deadbeef"
ORIGIN = f"https://{SESSION}.{DOMAIN}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("github"), callback_url=CALLBACK)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """REST as the administrator, with no fault left behind."""
    with server.client(server.credentials["token"]) as client:
        yield client
        client.delete("/admin/faults").raise_for_status()


@pytest.fixture
def repository(api: httpx.Client) -> str:
    """A private repository."""
    answer = api.post("/orgs/acme/repos", json={"name": f"app-{secrets.token_hex(4)}", "private": True})
    return str(answer.raise_for_status().json()["full_name"])


@pytest.fixture
def reader(api: httpx.Client, repository: str) -> str:
    """A person who may read it."""
    login = new_person(api)
    api.put(f"/repos/{repository}/collaborators/{login}", json={"permission": "pull"}).raise_for_status()
    return login


def plan_fault(api: httpx.Client, **fault: Any) -> None:  # noqa: ANN401 - JSON
    api.post("/admin/faults", json=fault).raise_for_status()


def shut_out(api: httpx.Client, repository: str, person: str) -> None:
    api.delete(f"/repos/{repository}/collaborators/{person}").raise_for_status()


def exchange(server: Server, code: str) -> dict[str, Any]:
    """Exchange a code as one who has all but the verifier."""
    client = {name: server.credentials[name] for name in ("client_id", "client_secret")}
    form = {**client, "code": code, "redirect_uri": CALLBACK}
    url, headers = f"{server.url}/login/oauth/access_token", {"Accept": "application/json"}
    return dict(httpx.post(url, data=form, headers=headers).json())


def revoke(server: Server, token: str) -> None:
    client = (server.credentials["client_id"], server.credentials["client_secret"])
    url = f"{server.api_url}/applications/{client[0]}/token"
    httpx.request("DELETE", url, json={"access_token": token}, auth=client).raise_for_status()


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


@dataclass
class Browser:
    """What a visitor's browser does: it keeps cookies of the session's host, and fills in GitHub's page."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)

    def at_github(self, url: str, person: str, decision: str = "authorize") -> str:
        """Open GitHub's page, send its form and return where that leads."""
        page = httpx.get(url)
        assert 200 == page.status_code, page.text
        fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text))
        form = {name: html.unescape(value) for name, value in fields.items()}
        form |= {"person": person, "decision": decision}
        headers = {"Origin": self.server.url}
        answer = httpx.post(f"{self.server.url}/login/oauth/authorize", data=form, headers=headers)
        found = re.search(r'content="0;url=([^"]*)"', answer.text)
        assert found, answer.text
        return html.unescape(found.group(1))

    def keep(self, result: Redirect | Granted | Renewed) -> None:
        cookie = result.cookie if isinstance(result, Redirect) else result.renewal
        if cookie:
            self.cookies[cookie.name] = cookie.value


@dataclass
class Proxy:
    """The sign-in as one proxy task has it."""

    sign_in: GitHubSignIn

    async def visit(self, browser: Browser, person: str, decision: str = "authorize") -> dict[str, str]:
        """Take a visitor to GitHub and back to the session's host; return what GitHub sent along."""
        begun = self.sign_in.begin(SESSION, ORIGIN, "/path?a=1", browser.cookies)
        browser.keep(begun)
        returned = await asyncio.to_thread(browser.at_github, begun.url, person, decision)
        assert returned.startswith(CALLBACK + "?")
        forwarded = self.sign_in.forward(f"https://sign-in.{DOMAIN}", query_of(returned))
        assert isinstance(forwarded, Redirect)
        assert forwarded.url.startswith(f"{ORIGIN}/.uat/callback?")
        return query_of(forwarded.url)

    async def signed_in(self, browser: Browser, person: str) -> Granted | Refused | Failed:
        query = await self.visit(browser, person)
        result = await self.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)
        if isinstance(result, Granted):
            browser.keep(result)
        return result


@pytest.fixture
async def proxy_with(server: Server, repository: str) -> AsyncIterator[Callable[..., Proxy]]:
    """Make proxies of the same installation, with keys, clock or GitHub of their own."""
    githubs = []

    def make(
        *keys: str,
        hours: float = 0,
        table_is_away: bool = False,
        url: str = server.url,
        client_secret: str = server.credentials["client_secret"],
    ) -> Proxy:
        """A proxy whose clock is `hours` ahead."""

        async def repository_of(session_id: str) -> str | None:
            if table_is_away:
                raise TableUnavailableError("the table is away")
            return repository if session_id == SESSION else None

        client = {"client_id": server.credentials["client_id"], "client_secret": client_secret}
        github = GitHub(url, f"{url}/api/v3", ClientCredentials.model_validate(client))
        githubs.append(github)
        clock = lambda: time.time() + hours * 3600  # noqa: E731 - shorter than a function
        return Proxy(GitHubSignIn(github, DOMAIN, keys or (KEY,), repository_of, clock))

    yield make
    for github in githubs:
        await github.aclose()


@pytest.fixture
def proxy(proxy_with: Callable[..., Proxy]) -> Proxy:
    return proxy_with()


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server)


async def test_who_may_read_the_repository_comes_in(proxy: Proxy, browser: Browser, reader: str) -> None:
    result = await proxy.signed_in(browser, reader)
    assert isinstance(result, Granted)
    assert (reader, "/path?a=1", 3_600) == (result.login, result.return_to, result.access_seconds)
    assert RENEWAL_COOKIE == result.renewal.name
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
    assert Refused(stranger) == await proxy.signed_in(browser, stranger)


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
    assert Refused(reader) == (await refusal_at(UNKNOWN_SESSION, reader))[0]


async def test_who_says_no_at_github_is_not_signed_in(proxy: Proxy, browser: Browser, reader: str) -> None:
    query = await proxy.visit(browser, reader, "cancel")
    assert Failed(Cause.DENIED) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


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
    assert "bad_verification_code" == exchange(server, code)["error"]


async def test_a_sign_in_is_finished_once(proxy: Proxy, browser: Browser, reader: str) -> None:
    query = await proxy.visit(browser, reader)
    assert isinstance(await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies), Granted)
    assert Failed(Cause.EXPIRED) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


async def test_two_tabs_sign_in_at_the_same_time(proxy: Proxy, browser: Browser, reader: str) -> None:
    first = await proxy.visit(browser, reader)
    second = await proxy.visit(browser, reader)
    for query in (first, second):
        assert isinstance(await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies), Granted)


async def test_a_sign_in_begun_long_ago_is_not_finished(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    eleven_minutes_ago = proxy_with(hours=-11 / 60).sign_in
    begun = eleven_minutes_ago.begin(SESSION, ORIGIN, "/", {})
    browser.keep(begun)
    query = query_of(await asyncio.to_thread(browser.at_github, begun.url, reader))
    assert Failed(Cause.EXPIRED) == proxy.sign_in.forward(f"https://sign-in.{DOMAIN}", query)
    assert Failed(Cause.EXPIRED) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


@pytest.mark.parametrize("path", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/.uat/callback"])
async def test_nobody_is_sent_elsewhere(proxy: Proxy, browser: Browser, reader: str, path: str) -> None:
    begun = proxy.sign_in.begin(SESSION, ORIGIN, path, {})
    browser.keep(begun)
    query = query_of(await asyncio.to_thread(browser.at_github, begun.url, reader))
    result = await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)
    assert isinstance(result, Granted)
    assert "/" == result.return_to


@pytest.mark.parametrize(
    "fault",
    [
        *(
            {"path": path, **fault}
            for path in ("/login/oauth/access_token", "/user", "/repos/.*")
            for fault in ({"kind": "status", "status": 502}, {"kind": "drop"}, {"kind": "rate_limit"})
        ),
        {"path": "/repos/.*", "kind": "rate_limit", "retry_after": 60},
        {"path": "/repos/.*", "kind": "timeout", "seconds": 8},
    ],
    ids=lambda fault: " ".join(str(value) for value in fault.values()),
)
async def test_while_github_is_away_nobody_is_let_in(
    proxy: Proxy, browser: Browser, reader: str, api: httpx.Client, fault: dict[str, Any]
) -> None:
    query = await proxy.visit(browser, reader)
    plan_fault(api, **fault)
    assert Failed(Cause.GITHUB_AWAY) == await proxy.sign_in.finish(SESSION, ORIGIN, query, browser.cookies)


async def test_while_the_table_is_away_nobody_new_is_let_in(
    proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    assert Failed(Cause.SESSIONS_AWAY) == await proxy_with(table_is_away=True).signed_in(browser, reader)


async def test_a_wrong_client_secret_is_the_operators_affair(
    proxy_with: Callable[..., Proxy], browser: Browser, reader: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert Failed(Cause.MISCONFIGURED) == await proxy_with(client_secret="wrong").signed_in(browser, reader)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "incorrect_client_credentials" == record.__dict__["reason"]


async def renewed(proxy: Proxy, browser: Browser) -> Renewed | SignInNeeded | Failed:
    result = await proxy.sign_in.renew(SESSION, browser.cookies[RENEWAL_COOKIE])
    if isinstance(result, Renewed):
        browser.keep(result)
    return result


async def test_access_is_renewed_on_githubs_word(
    proxy: Proxy, proxy_with: Callable[..., Proxy], browser: Browser, reader: str
) -> None:
    await proxy.signed_in(browser, reader)
    result = await renewed(proxy_with(hours=1), browser)
    assert isinstance(result, Renewed)
    assert ACCESS_SECONDS == result.access_seconds
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
    assert ["GET /repos/{owner}/{repo}"] == asked.routes()
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
