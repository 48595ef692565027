"""Modes `link` and `public` with a GitHub App: everybody reads as before, and who signs in may write."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.github.test_writing import HOST, ORIGIN, comments, opened, post, pull_number, token_of
from tests.integration.proxy.github.visitors import DOMAIN, Visitor, address, mode
from tests.integration.proxy.visitor import GATED, NAVIGATION, access

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy, Upstream

    from local_github.testing import Server

__all__ = ["pull_number"]  # a fixture


@pytest.fixture(scope="module", params=["link", "public"])
def gated(request: pytest.FixtureRequest, start_proxy: StartProxy, github: Server) -> Iterator[Proxy]:
    with start_proxy(**mode(github, UAT_ACCESS=request.param)) as running:
        yield running


@pytest.fixture
def session_id(table: SessionsTable, repository: str, pull_number: int, upstream: Upstream) -> str:
    return table.put(ip=upstream.address, port=3000, repo=repository, pull_number=pull_number)


@pytest.fixture
def writer(api: httpx.Client, repository: str, visitor: Visitor) -> Visitor:
    """A visitor who may push."""
    access = {"permission": "push"}
    api.put(f"/repos/{repository}/collaborators/{visitor.person}", json=access).raise_for_status()
    return visitor


async def test_who_signs_in_writes_as_themselves(  # noqa: PLR0913, PLR0917 - fixtures
    api: httpx.Client,
    writer: Visitor,
    session_id: str,
    repository: str,
    pull_number: int,
    upstream: Upstream,
) -> None:
    page = await writer.ask(address(session_id, "/.uat/"), headers=NAVIGATION | access(session_id))
    assert f'href="{ORIGIN}/sessions/{session_id}"' in page.text
    assert "<form" not in page.text
    sent = await post(writer, session_id, {"text": "Make it blue", "token": token_of(await opened(writer, session_id))})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/sessions/{session_id}?sent")
    assert comments(api, repository, pull_number) == [(writer.person, "Make it blue")]
    assert b"uat-writer" not in b"".join(upstream.requests)


async def test_who_may_only_read_the_repository_cannot_write(visitor: Visitor, session_id: str) -> None:
    page = await opened(visitor, session_id)
    assert "Only people with write access to the repository can write to Claude." in page.text
    assert "<form" not in page.text


async def test_to_a_stranger_a_session_is_as_one_that_does_not_exist_even_with_its_link(
    github: Server, gated: Proxy, stranger: str, session_id: str
) -> None:
    visitor = Visitor(github, gated, stranger)
    shown = await visitor.ask(address(session_id), headers=NAVIGATION | access(session_id))
    assert (shown.status_code, shown.text) == (200, "the dev server")
    answers = {each: await opened(visitor, each) for each in (session_id, "00000000")}
    assert [answer.status_code for answer in answers.values()] == [403, 403]
    assert len({answer.text.replace(each, "") for each, answer in answers.items()}) == 1


async def test_signing_in_opens_no_session(writer: Visitor, session_id: str) -> None:
    """It says who writes; who may look, the mode alone says."""
    await opened(writer, session_id)
    assert set(writer.cookies[HOST]) == {"__Host-uat-sign-in", "__Host-uat-writer"}
    assert session_id not in "".join(writer.cookies)
    forwarded = await writer.ask(f"{ORIGIN}/callback?code=x&state=y")
    assert (forwarded.status_code, "This sign-in has expired" in forwarded.text) == (400, True)
    callback = await writer.ask(address(session_id, "/.uat/callback?code=x&state=y"))
    assert (callback.status_code, "set-cookie" in callback.headers) == (404, False)


async def test_who_does_not_sign_in_after_all_may_choose_another_account(visitor: Visitor, session_id: str) -> None:
    begun = await visitor.ask(f"{ORIGIN}/sessions/{session_id}")
    answer = await visitor.ask(await visitor.at_github(begun.headers["location"], "cancel"))
    assert (answer.status_code, f'href="/sessions/{session_id}?account"' in answer.text) == (403, True)
    assert "To sign in, go back to the page" in html.unescape(answer.text)


async def test_without_an_app_the_page_says_to_comment_and_there_is_nothing_to_sign_in_to(
    start_proxy: StartProxy, session_id: str
) -> None:
    with start_proxy(**GATED, UAT_DOMAIN=DOMAIN, UAT_SIGN_IN="{}") as proxy:
        async with proxy.client("x", NAVIGATION | {"Host": HOST}) as client:
            for path in ("/callback", f"/sessions/{session_id}"):
                assert (await client.get(path)).status_code == 404
                assert (await client.post(path)).status_code == 404
        headers = NAVIGATION | access(session_id) | {"Host": f"{session_id}.{DOMAIN}:8080"}
        async with proxy.client(session_id, headers) as client:
            page = await client.get("/.uat/")
    assert "To write to Claude, comment on the pull request." in page.text
    assert "/sessions/" not in page.text
