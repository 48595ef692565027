"""`/` on the sign-in host: who signs in sees the sessions of the repositories that they may read, and no others."""

from __future__ import annotations

import asyncio
import html
import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.github.visitors import DOMAIN, Visitor, new_repository, plan_fault, take_away
from tests.kit.sessions import serialized

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from tests.integration.proxy.conftest import Proxy, SessionsTable

    from local_github.testing import Server

HOST = f"sign-in.{DOMAIN}:8080"
INDEX = f"http://{HOST}/"


@pytest.fixture
def slots(table: SessionsTable) -> Iterator[None]:
    """The row of slots, with one that runs and two that wait; taken away after the test."""
    row = {
        "pk": "SLOTS",
        "sk": "SLOTS",
        "live": {"a0000001": "acme/other"},
        "waiting": {
            "a0000003": {"since": "2026-11-22T08:00:05.000Z", "repo": "acme/other"},
            "a0000002": {"since": "2026-11-22T08:00:06.000Z", "repo": "acme/other"},
        },
    }
    table.client.put_item(TableName=table.name, Item=serialized(row))
    yield
    table.client.delete_item(TableName=table.name, Key=serialized({"pk": "SLOTS", "sk": "SLOTS"}))


async def shown(visitor: Visitor, words: str) -> httpx.Response:
    """Open the index until it has these words: what the table says is kept for two seconds."""
    for _ in range(60):
        if words in (page := await opened(visitor)).text:
            break
        await asyncio.sleep(0.2)
    assert words in page.text
    return page


async def opened(visitor: Visitor, path: str = "") -> httpx.Response:
    """Go to the index, by GitHub where that's needed."""
    response = await visitor.ask(f"{INDEX}{path}")
    if response.status_code == 303:
        back = await visitor.ask(await visitor.at_github(response.headers["location"]))
        assert (back.status_code, back.headers.get("location")) == (303, "/")
        response = await visitor.ask(INDEX)
    return response


def put(table: SessionsTable, repository: str, title: str, **attributes: object) -> str:
    times = {"created_at": "2026-11-22T08:00:00.000Z"}
    return table.put(repo=repository, issue_title=title, **times, **attributes)


@pytest.mark.usefixtures("slots")
async def test_who_signs_in_sees_sessions_of_the_repositories_they_may_read(
    api: httpx.Client, table: SessionsTable, repository: str, visitor: Visitor
) -> None:
    secret = new_repository(api)
    pull = {"pull_url": f"https://github.com/{repository}/pull/43", "pull_number": 43}
    seen = put(table, repository, "Show <the> total", cost_usd=Decimal("1.5"), issue_number=42, **pull)
    put(table, repository, "Wait a little", id="a0000002", status="QUEUED")
    put(table, repository, "All done", status="COMPLETED", ended_at="2026-11-22T09:02:00.000Z")
    hidden = put(table, secret, "A secret plan")

    page = await shown(visitor, "All done")

    assert page.status_code == 200
    text = " ".join(re.sub(r"<[^>]+>", " ", page.text).split()).replace(" ,", ",")
    for words in (
        "In use 1 of 20 Queued 2 Signed in as " + visitor.person,
        f"Running 1 {repository} Show &lt;the&gt; total #42 Since 2026-11-22 08:00 UTC, ",
        "$1.50 Pull request #43",
        f"Queued 1 {repository} Wait a little Place 2 of 2",
        f"Ended 1 {repository} All done Completed Ended 2026-11-22 09:02 UTC, after 1h 2m $0.00",
    ):
        assert words in text
    assert f'href="http://{seen}.{DOMAIN}:8080/.uat/"' in page.text
    assert f'href="https://github.com/{repository}/pull/43"' in page.text
    for word in ("secret", secret, hidden, "acme/other", "a0000001", "a0000003"):
        assert word not in text.replace(repository, "")
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_a_stranger_is_told_nothing_but_how_busy_it_is(
    github: Server, gated: Proxy, table: SessionsTable, repository: str, stranger: str
) -> None:
    put(table, repository, "Show the total")
    page = await opened(Visitor(github, gated, stranger))
    assert (page.status_code, "There are no sessions that you can see" in page.text) == (200, True)
    assert repository not in page.text


async def test_who_loses_the_repository_sees_its_sessions_no_more_after_another_sign_in(
    api: httpx.Client, table: SessionsTable, repository: str, visitor: Visitor
) -> None:
    put(table, repository, "Show the total")
    await shown(visitor, "Show the total")
    take_away(api, repository, visitor.person)
    visitor.cookies.clear()
    assert "Show the total" not in (await opened(visitor)).text


async def test_before_the_sign_in_nothing_is_said_and_an_account_can_be_chosen(gated: Proxy, visitor: Visitor) -> None:
    async with gated.client("x", {"Host": HOST}) as client:
        for method in ("GET", "HEAD"):
            sent = await client.request(method, "/")
            assert (sent.status_code, "/login/oauth/authorize" in sent.headers["location"]) == (303, True)
        assert (await client.post("/")).status_code == 404
    await opened(visitor)
    again = await visitor.ask(f"{INDEX}?account")
    assert (again.status_code, "prompt=select_account" in again.headers["location"]) == (303, True)


async def test_the_uat_domain_itself_leads_to_the_index(gated: Proxy, proxy: Proxy) -> None:
    for method in ("GET", "HEAD"):
        async with gated.client("x", {"Host": f"{DOMAIN}:8080", "X-Forwarded-Proto": "https"}) as client:
            led = await client.request(method, "/?a=b")
            assert (led.status_code, led.headers.get("location")) == (303, f"https://sign-in.{DOMAIN}:8080/")
            assert (await client.request(method, "/sessions/09e22a8b")).status_code == 404
            assert (await client.post("/")).status_code == 404
    async with proxy.client("x", {"Host": "uat.example.test"}) as client:  # which lists them on one machine
        assert (await client.get("/")).headers["location"] == "http://sign-in.uat.example.test/"


async def test_a_sign_in_that_another_browser_began_leads_nowhere(
    github: Server, gated: Proxy, visitor: Visitor
) -> None:
    begun = await visitor.ask(INDEX)
    returned = await visitor.at_github(begun.headers["location"])
    answer = await Visitor(github, gated, visitor.person).ask(returned)
    assert (answer.status_code, "This sign-in has expired" in answer.text) == (400, True)
    assert "set-cookie" not in answer.headers


async def test_who_does_not_sign_in_after_all_may_choose_another_account(visitor: Visitor) -> None:
    begun = await visitor.ask(INDEX)
    answer = await visitor.ask(await visitor.at_github(begun.headers["location"], "cancel"))
    assert (answer.status_code, 'href="/?account"' in answer.text) == (403, True)


async def test_a_github_that_is_away_is_said(
    api: httpx.Client, table: SessionsTable, repository: str, visitor: Visitor
) -> None:
    put(table, repository, "Show the total")
    back = await visitor.ask(await visitor.at_github((await visitor.ask(INDEX)).headers["location"]))
    assert back.status_code == 303
    plan_fault(api, path="/user", kind="status", status=503)
    away = await visitor.ask(INDEX)
    assert (away.status_code, "GitHub isn't responding" in html.unescape(away.text)) == (503, True)
