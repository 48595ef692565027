"""Pages of a dev server that doesn't reload them itself get a script that does, and nothing else of them changes."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.visitor import ACCESS_COOKIE, NAVIGATION, access, access_token

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream, Upstream

SCRIPT = re.compile(
    rb'<script async src="(\S+)/\.uat/reload\.js" data-revision="(\d+)" nonce="([0-9a-f-]{36})"></script>'
)
BODY = b"<!doctype html><title>Shop</title><p>caf\xc3\xa9"
HTML = "Content-Type: text/html"


def page(*headers: str, body: bytes = BODY, status: str = "200 OK", length: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(body)}"] if length else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*chunks: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return page(HTML, "Transfer-Encoding: chunked", body=body, length=False)


def row(upstream: Upstream, revision: int | None = 3) -> dict[str, object]:
    return {"ip": upstream.address, "port": 3000} | ({} if revision is None else {"page_revision": revision})


async def visit(proxy: Proxy, session_id: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with proxy.client(session_id, NAVIGATION | headers) as client:
        return await client.request(method, "/")


@pytest.mark.parametrize(
    ("response", "body"),
    [
        pytest.param(page(HTML), BODY, id="its length is given"),
        pytest.param(page(HTML, body=b""), b"", id="it is empty"),
        pytest.param(page("Content-Type: Text/HTML;charset=utf-8"), BODY, id="its type has a parameter"),
        pytest.param(chunked(BODY[:9], BODY[9:]), BODY, id="it comes in chunks"),
        pytest.param(page(HTML, length=False), BODY, id="its end is that of the connection"),
        pytest.param(page(HTML, body=b"x" * 100_000), b"x" * 100_000, id="it is long"),
        pytest.param(page(HTML, body=b"x" * 100_000, length=False), b"x" * 100_000, id="it is long, without a length"),
        pytest.param(
            page(HTML, body=b"x" * 12_000, length=False), b"x" * 12_000, id="it fills a buffer, without a length"
        ),
        pytest.param(page(HTML, f"X-Long: {'y' * 14_000}"), BODY, id="its headers fill the buffer"),
        pytest.param(page(HTML, status="500 Oops"), BODY, id="it is an error's"),
    ],
)
async def test_a_page_ends_with_the_script(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, response: bytes, body: bytes
) -> None:
    session_id = table.put(**row(await start_upstream(response)))

    seen = await visit(proxy, session_id)

    assert seen.content.startswith(body)
    assert (found := SCRIPT.fullmatch(seen.content[len(body) :]))
    assert (found[1].decode(), found[2]) == (f"http://{session_id}.uat.example.test:8080", b"3")
    assert seen.headers.get("Content-Length", str(len(seen.content))) == str(len(seen.content))


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(page("Content-Type: application/json"), id="no HTML"),
        pytest.param(page("Content-Type: text/html5"), id="another type"),
        pytest.param(page("Content-Type: application/xhtml+xml"), id="XML, in which nothing follows the end"),
        pytest.param(page(), id="no type"),
        pytest.param(page(HTML, "Content-Encoding: gzip"), id="compressed all the same"),
        pytest.param(page(HTML, "Content-Disposition: attachment; filename=a.html"), id="a file to keep"),
        pytest.param(page(HTML, "Content-Range: bytes 0-40/99", status="206 Partial Content"), id="a part"),
        pytest.param(page(HTML, body=b"", status="204 No Content", length=False), id="no content"),
        pytest.param(page(HTML, body=b"", status="304 Not Modified", length=False), id="what the browser has"),
    ],
)
async def test_anything_else_stays_as_it_is(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, response: bytes
) -> None:
    session_id = table.put(**row(await start_upstream(response)))

    async with proxy.client(session_id, NAVIGATION) as client, client.stream("GET", "/") as seen:
        body = b"".join([part async for part in seen.aiter_raw()])

    assert body == response.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("GET", {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, id="a fragment"),
        pytest.param("GET", {"Sec-Fetch-Dest": "iframe"}, id="a frame, which its page reloads"),
        pytest.param("POST", {}, id="what a form has led to, which can't be asked for again"),
        pytest.param("HEAD", {}, id="a head"),
    ],
)
async def test_only_a_page_that_was_opened_gets_it(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, method: str, headers: dict[str, str]
) -> None:
    session_id = table.put(**row(await start_upstream(page(HTML))))

    seen = await visit(proxy, session_id, method, **headers)

    assert seen.content == (b"" if method == "HEAD" else BODY)
    assert seen.headers["Content-Length"] == str(len(BODY))


async def test_a_session_whose_pages_are_not_to_be_reloaded_has_no_script(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    session_id = table.put(**row(await start_upstream(page(HTML)), revision=None))

    assert (await visit(proxy, session_id)).content == BODY


async def test_a_dev_server_is_asked_for_a_page_that_can_be_added_to(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(page(HTML))
    session_id = table.put(**row(upstream))

    await visit(proxy, session_id, **{"Accept-Encoding": "gzip, br"})

    assert re.findall(rb"accept-encoding: (.*)\r\n", upstream.requests[0]) == [b"identity"]


async def test_a_page_that_is_streamed_is_not_held_back(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    goes_on = asyncio.Event()

    async def respond(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, rest = chunked(b"first", b"last").split(b"4\r\n")
        writer.write(first)
        await goes_on.wait()
        writer.write(b"4\r\n" + rest)

    session_id = table.put(**row(await start_upstream(respond)))
    async with proxy.client(session_id, NAVIGATION) as client, client.stream("GET", "/") as seen:
        parts = seen.aiter_raw()
        assert await anext(parts) == b"first"
        goes_on.set()
        assert SCRIPT.fullmatch(b"".join([part async for part in parts]).removeprefix(b"last"))


NONCE = "'nonce-[0-9a-f-]{36}'"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("img-src 'self'", "img-src 'self'"),
        ("default-src 'self'", "default-src 'self'; script-src-elem 'self' SCRIPT; connect-src 'self' REVISION"),
        ("default-src 'none'", "default-src 'none'; script-src-elem SCRIPT; connect-src REVISION"),
        ("script-src 'none'; connect-src 'none'", "script-src SCRIPT; connect-src REVISION"),
        ("Script-Src 'unsafe-inline'", "script-src 'unsafe-inline' SCRIPT"),
        ("script-src 'nonce-a' 'strict-dynamic'; x y", "script-src 'nonce-a' 'strict-dynamic' NONCE; x y"),
        ("script-src 'sha256-a='; script-src-elem a.b", "script-src 'sha256-a='; script-src-elem a.b SCRIPT"),
        (
            "default-src 'self' 'sha256-a='; connect-src b.c",
            "default-src 'self' 'sha256-a='; connect-src b.c REVISION; script-src-elem 'self' 'sha256-a=' NONCE",
        ),
        ("script-src a.b, script-src c.d", "script-src a.b SCRIPT, script-src c.d SCRIPT"),
    ],
)
@pytest.mark.parametrize("name", ["Content-Security-Policy", "Content-Security-Policy-Report-Only"])
async def test_a_policy_of_the_page_permits_the_script_and_no_more(  # noqa: PLR0913, PLR0917 - a table
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, name: str, policy: str, expected: str
) -> None:
    session_id = table.put(**row(await start_upstream(page(HTML, f"{name}: {policy}"))))

    seen = await visit(proxy, session_id)

    own = re.escape(f"http://{session_id}.uat.example.test:8080/.uat/")
    parts = {"SCRIPT": f"{own}reload[.]js", "REVISION": f"{own}revision", "NONCE": NONCE}
    pattern = re.sub("|".join(parts), lambda part: parts[part[0]], re.escape(expected))
    assert re.fullmatch(pattern, seen.headers[name])
    nonces = re.findall(r"'nonce-([0-9a-f-]{36})'", seen.headers[name])
    assert nonces in ([], [SCRIPT.search(seen.content)[3].decode()])  # type: ignore[index]  # it is there


async def revision(proxy: Proxy, session_id: str, cookie: dict[str, str] | None = None) -> tuple[int, str]:
    async with proxy.client(
        session_id, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", **(cookie or {})}
    ) as client:
        response = await client.get("/.uat/revision")
        return response.status_code, response.text


async def until(proxy: Proxy, session_id: str, holds: Callable[[str], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds((await revision(proxy, session_id))[1]):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_an_open_page_learns_of_a_change_within_seconds(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(page(HTML))
    session_id = table.put(**row(upstream))
    assert await revision(proxy, session_id) == (200, "3"), "asked of a proxy that doesn't know the session"
    assert await revision(proxy, session_id) == (200, "3"), "and of HAProxy"

    table.put(id=session_id, **row(upstream, 4))
    await until(proxy, session_id, lambda text: text == "4")
    table.put(id=session_id, **row(upstream, None))
    await until(proxy, session_id, lambda text: not text)

    assert upstream.requests == [], "the dev server isn't asked"
    assert table.last_visited_at(session_id) is None, "and nobody has visited it"


@pytest.mark.security
@pytest.mark.parametrize("known", [True, False])
async def test_who_may_not_see_a_session_learns_nothing_of_its_changes(
    gated: Proxy, table: SessionsTable, start_upstream: StartUpstream, *, known: bool
) -> None:
    session_id = table.put(**row(await start_upstream(page(HTML))))
    if known:
        assert await revision(gated, session_id, access(session_id)) == (200, "3")

    other = {"Cookie": f"{ACCESS_COOKIE}={access_token('0' * 8)}"}
    assert [await revision(gated, session_id, cookie) for cookie in ({}, other)] == [(401, "")] * 2


async def test_the_script_itself_is_the_same_for_everybody(gated: Proxy) -> None:
    async with gated.client("0" * 8) as client:
        response = await client.get("/.uat/reload.js")

    assert response.status_code == HTTPStatus.OK
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert b"/.uat/revision" in response.content
