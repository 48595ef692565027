"""`/sessions/<id>` on the sign-in host: who may write comments as themselves, and nobody in their name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from tests.integration.proxy.github.visitors import DOMAIN, Visitor, address, host, new_reader, plan_fault, take_away
from tests.integration.proxy.visitor import NAVIGATION

if TYPE_CHECKING:
    import httpx
    from tests.integration.proxy.conftest import Proxy, SessionsTable, Upstream

    from local_github.testing import Server

HOST = f"sign-in.{DOMAIN}:8080"
ORIGIN = f"http://{HOST}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def pull_number(api: httpx.Client, repository: str) -> int:
    """An issue: to the API, comments on it are those on a pull request."""
    answer = api.post(f"/repos/{repository}/issues", json={"title": "A change"})
    return int(answer.raise_for_status().json()["number"])


@pytest.fixture
def session_id(table: SessionsTable, repository: str, pull_number: int, upstream: Upstream) -> str:
    return table.put(
        ip=upstream.address, port=3000, repo=repository, pull_number=pull_number, issue_title="Show <the> total"
    )


@pytest.fixture
def writer(github: Server, gated: Proxy, api: httpx.Client, repository: str) -> Visitor:
    person = new_reader(api, repository)
    api.put(f"/repos/{repository}/collaborators/{person}", json={"permission": "push"}).raise_for_status()
    return Visitor(github, gated, person)


async def opened(visitor: Visitor, session_id: str) -> httpx.Response:
    """Go to the page to write on, by GitHub where that's needed."""
    response = await visitor.ask(f"{ORIGIN}/sessions/{session_id}")
    if response.status_code == 303:
        back = await visitor.ask(await visitor.at_github(response.headers["location"]))
        assert (back.status_code, back.headers.get("location")) == (303, f"/sessions/{session_id}")
        response = await visitor.ask(f"{ORIGIN}/sessions/{session_id}")
    return response


def token_of(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found
    return found[1]


async def post(
    visitor: Visitor, session_id: str, fields: dict[str, str], headers: dict[str, str] | None = None
) -> httpx.Response:
    sent = NAVIGATION | FORM | {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"} | (headers or {})
    return await visitor.ask(f"{ORIGIN}/sessions/{session_id}", "POST", sent, urlencode(fields).encode())


def comments(api: httpx.Client, repository: str, number: int) -> list[tuple[str, str]]:
    answer = api.get(f"/repos/{repository}/issues/{number}/comments").raise_for_status()
    return [(comment["user"]["login"], comment["body"]) for comment in answer.json()]


@pytest.mark.parametrize(
    "fields", [{"text": " Make it **blue**\r\nplease "}, {"command": "/stop"}, {"command": "/interrupt"}]
)
async def test_what_is_written_is_a_comment_by_who_wrote_it(  # noqa: PLR0913, PLR0917 - fixtures
    api: httpx.Client,
    writer: Visitor,
    session_id: str,
    repository: str,
    pull_number: int,
    fields: dict[str, str],
) -> None:
    page = await opened(writer, session_id)
    assert page.status_code == 200
    assert f"Comment as {writer.person}" in page.text
    assert "Show &lt;the&gt; total" in page.text
    sent = await post(writer, session_id, fields | {"token": token_of(page)})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/sessions/{session_id}?sent")
    assert comments(api, repository, pull_number) == [(writer.person, next(iter(fields.values())).strip())]


async def test_who_may_only_read_is_told_so_and_cannot_write(  # noqa: PLR0913, PLR0917 - fixtures
    api: httpx.Client, visitor: Visitor, writer: Visitor, session_id: str, repository: str, pull_number: int
) -> None:
    page = await opened(visitor, session_id)
    assert "Only people with write access to the repository can write to Claude." in page.text
    assert "<form" not in page.text
    writers_token = token_of(await opened(writer, session_id))
    assert (await post(visitor, session_id, {"text": "x", "token": writers_token})).status_code == 403
    assert comments(api, repository, pull_number) == []


async def test_to_a_stranger_a_session_is_as_one_that_does_not_exist(
    github: Server, gated: Proxy, stranger: str, session_id: str
) -> None:
    visitor = Visitor(github, gated, stranger)
    answers = {each: await opened(visitor, each) for each in (session_id, "00000000")}
    assert [answer.status_code for answer in answers.values()] == [403, 403]
    assert len({answer.text.replace(each, "") for each, answer in answers.items()}) == 1
    again = await visitor.ask(f"{ORIGIN}/sessions/{session_id}?account")
    assert (again.status_code, "prompt=select_account" in again.headers["location"]) == (303, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": f"http://sign-in.{DOMAIN}"},
        {"Origin": f"{ORIGIN}.evil.example"},
        {"Origin": "the session's own"},
    ],
)
async def test_no_other_page_can_write_in_a_visitors_name(  # noqa: PLR0913, PLR0917 - fixtures
    api: httpx.Client, writer: Visitor, session_id: str, repository: str, pull_number: int, headers: dict[str, str]
) -> None:
    """Not even one that has got hold of a form: the session's own host is the preview's."""
    token = token_of(await opened(writer, session_id))
    if headers["Origin"] == "the session's own":
        headers = {"Origin": f"http://{host(session_id)}", "Sec-Fetch-Site": "same-site"}
    assert (await post(writer, session_id, {"text": "x", "token": token}, headers)).status_code == 403
    assert comments(api, repository, pull_number) == []


@pytest.mark.parametrize("token", ["", "x", "another session's"])
async def test_a_form_is_for_one_writer_and_one_session(  # noqa: PLR0913, PLR0917 - fixtures
    api: httpx.Client,
    table: SessionsTable,
    writer: Visitor,
    session_id: str,
    repository: str,
    pull_number: int,
    token: str,
) -> None:
    await opened(writer, session_id)
    if token == "another session's":
        token = token_of(await opened(writer, table.put(repo=repository, pull_number=pull_number)))
    assert (await post(writer, session_id, {"text": "x", "token": token})).status_code == 403
    assert comments(api, repository, pull_number) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "  \r\n "}, "Write something first."),
        ({"text": "x" * 60_001}, "too long"),
        ({"command": "/model claude-opus-5-5"}, "no such command"),
    ],
)
async def test_what_cannot_be_a_comment_is_said(  # noqa: PLR0913, PLR0917 - fixtures
    api: httpx.Client,
    writer: Visitor,
    session_id: str,
    repository: str,
    pull_number: int,
    fields: dict[str, str],
    words: str,
) -> None:
    token = token_of(await opened(writer, session_id))
    answer = await post(writer, session_id, fields | {"token": token})
    assert (answer.status_code, words in answer.text) == (422, True)
    assert comments(api, repository, pull_number) == []


async def test_who_loses_the_repository_writes_no_more_even_within_the_minute(
    api: httpx.Client, writer: Visitor, session_id: str, repository: str
) -> None:
    token = token_of(await opened(writer, session_id))
    take_away(api, repository, writer.person)
    answer = await post(writer, session_id, {"text": "kept <here>", "token": token})
    assert answer.status_code == 422
    assert "GitHub didn&#39;t accept the comment" in answer.text
    assert "kept &lt;here&gt;</textarea>" in answer.text


async def test_while_github_is_away_nothing_is_written_and_it_is_said(
    api: httpx.Client, writer: Visitor, session_id: str, repository: str
) -> None:
    token = token_of(await opened(writer, session_id))
    plan_fault(api, kind="status", status=502, path=f"/repos/{repository}/issues/.*", count=1)
    answer = await post(writer, session_id, {"text": "x", "token": token})
    assert (answer.status_code, "GitHub isn&#39;t responding" in answer.text) == (503, True)


async def test_the_writers_cookie_stays_on_the_sign_in_host(
    writer: Visitor, session_id: str, upstream: Upstream
) -> None:
    page = await opened(writer, session_id)
    assert "__Host-uat-writer" in writer.cookies[HOST]
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    await writer.signs_in(session_id)
    await writer.ask(address(session_id))
    assert b"uat-writer" not in b"".join(upstream.requests)
    assert writer.cookies[HOST]["__Host-uat-writer"] not in (await writer.ask(address(session_id, "/.uat/"))).text


@pytest.mark.parametrize("name", ["evil.example%2f", "evil.example#", "0000000", "000000000", "0000000G", "a/b"])
async def test_only_a_sessions_id_is_taken_for_one(writer: Visitor, name: str) -> None:
    response = await writer.ask(f"{ORIGIN}/sessions/{name}")
    assert response.status_code == 404
    assert "location" not in response.headers


async def test_a_sign_in_that_began_in_another_browser_signs_nobody_in(
    writer: Visitor, visitor: Visitor, session_id: str
) -> None:
    begun = await visitor.ask(f"{ORIGIN}/sessions/{session_id}")
    returned = await visitor.at_github(begun.headers["location"])
    await writer.ask(returned)
    assert "__Host-uat-writer" not in writer.cookies.get(HOST, {})


async def test_the_sessions_page_leads_there(writer: Visitor, session_id: str) -> None:
    await writer.signs_in(session_id)
    page = await writer.ask(address(session_id, "/.uat/"))
    assert f'href="{ORIGIN}/sessions/{session_id}"' in page.text
