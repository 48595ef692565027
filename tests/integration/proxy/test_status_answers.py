"""What a visitor is told when there is no dev server to show."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    import httpx
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream

LIVE_STATUS = [
    ({"status": "QUEUED"}, "session_starting", "The session is starting"),
    ({"status": "QUEUED", "pull_number": 7}, "session_queued", "The session is queued"),
    ({"status": "STARTING"}, "session_starting", "The session is starting"),
]


async def page(proxy: Proxy, session_id: str, accept: str = "text/html") -> httpx.Response:
    async with proxy.client(session_id, headers={"Accept": accept}) as client:
        return await client.get("/any/path?x=1")


async def test_an_unknown_session_is_a_404_page(proxy: Proxy) -> None:
    response = await page(proxy, "00000000")
    assert response.status_code == 404
    assert "Session not found" in response.text
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["09e22a8", "09e22a8bb", "09e22a8g", "a.09e22a8b", "www"])
async def test_a_malformed_session_host_is_a_404_page(proxy: Proxy, name: str) -> None:
    assert (await page(proxy, name)).status_code == 404


async def test_the_bare_domain_leads_to_the_index(proxy: Proxy) -> None:
    async with proxy.client("") as client:
        response = await client.get("/", headers={"Host": "uat.example.test"})
        assert response.status_code == 303
        assert urlsplit(response.headers["location"]).hostname == "sign-in.uat.example.test"
        elsewhere = await client.get("/elsewhere", headers={"Host": "uat.example.test"})
    assert elsewhere.status_code == 404


@pytest.mark.parametrize(
    "host", ["example.org", "09e22a8b.uat.example.test.", "09e22a8b.uat.example.org", "xuat.example.test"]
)
async def test_a_foreign_host_is_a_421_page(proxy: Proxy, host: str) -> None:
    async with proxy.client("") as client:
        response = await client.get("/", headers={"Host": host})
    assert response.status_code == 421
    assert "isn't served here" in html.unescape(response.text)


@pytest.mark.parametrize(("row", "error", "title"), LIVE_STATUS)
async def test_a_session_on_its_way_is_a_503_page_that_comes_back_by_itself(
    proxy: Proxy, table: SessionsTable, row: dict[str, str | int], error: str, title: str
) -> None:
    session_id = table.put(**row)
    response = await page(proxy, session_id)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in response.text
    assert f"<h2>{title}</h2>" in response.text
    assert session_id in response.text
    fields = (await page(proxy, session_id, "application/json")).json()
    assert (error, session_id, 2) == (fields["error"], fields["session_id"], fields["retry_after_seconds"])


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED", "FAILED"])
async def test_an_ended_session_is_a_410_page_that_says_why_and_how_to_go_on(
    proxy: Proxy, table: SessionsTable, status: str
) -> None:
    pull = "https://github.example/owner/repo/pull/7"
    session_id = table.put(status=status, end_reason="The pull request was <merged>.", pull_url=pull)
    response = await page(proxy, session_id)
    assert response.status_code == 410
    assert "The pull request was &lt;merged&gt;." in response.text
    assert f'href="{pull}"' in response.text
    assert "/restart" in response.text
    assert "label" in response.text
    assert "refresh" not in response.text


async def test_a_program_gets_the_same_answer_as_json(proxy: Proxy, table: SessionsTable) -> None:
    session_id = table.put(status="STOPPED", end_reason="Stopped by /stop.", pull_url="https://github.example/p/1")
    response = await page(proxy, session_id, "application/json, text/plain;q=0.5")
    assert response.status_code == 410
    assert response.headers["content-type"] == "application/json"
    assert {
        "error": "session_ended",
        "session_id": session_id,
        "status": "STOPPED",
        "title": "The session has stopped",
        "message": "Its container and dev server are gone. Pushed commits stay on its branch.",
        "what_to_do": "To start another session on this branch, comment /restart on the pull request, "
        "or remove and re-add the label on the issue.",
        "reason": "Stopped by /stop.",
        "steps": [],
        "hop": None,
        "log": None,
        "pull_request": "https://github.example/p/1",
        "live": False,
        "retry_after_seconds": None,
    } == response.json()


async def test_a_browser_that_also_takes_json_gets_the_page(proxy: Proxy) -> None:
    response = await page(proxy, "00000000", "text/html,application/json;q=0.9")
    assert response.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_refused_connection_is_a_502_page(proxy: Proxy, table: SessionsTable, unused_address: str) -> None:
    session_id = table.put(ip=unused_address, port=3000)
    response = await page(proxy, session_id)
    assert response.status_code == 502
    assert "The dev server isn't responding" in html.unescape(response.text)
    assert response.headers["retry-after"] == "2"


async def test_a_refused_connection_is_502_json_for_a_program(
    proxy: Proxy, table: SessionsTable, unused_address: str
) -> None:
    session_id = table.put(ip=unused_address, port=3000)
    response = await page(proxy, session_id, "application/json")
    assert response.status_code == 502
    assert response.json()["error"] == "dev_server_not_responding"


async def test_a_dev_server_that_talks_nonsense_is_a_502_page(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(b"this is not HTTP\r\n\r\n")
    response = await page(proxy, table.put(ip=upstream.address, port=3000))
    assert response.status_code == 502
    assert "The dev server isn't responding" in html.unescape(response.text)


async def test_a_running_session_without_an_address_is_a_502_page(proxy: Proxy, table: SessionsTable) -> None:
    assert (await page(proxy, table.put(status="RUNNING"))).status_code == 502


async def test_a_row_nobody_understands_is_a_404_page(proxy: Proxy, table: SessionsTable) -> None:
    assert (await page(proxy, table.put(status="DANCING"))).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_gets_the_answer(proxy: Proxy, method: str) -> None:
    async with proxy.client("00000000") as client:
        assert (await client.request(method, "/", content=b"x" * 100_000)).status_code == 404


async def test_a_head_request_gets_the_status_without_a_body(
    proxy: Proxy, table: SessionsTable, unused_address: str
) -> None:
    for session_id, status in (("00000000", 404), (table.put(ip=unused_address, port=3000), 502)):
        async with proxy.client(session_id) as client:
            response = await client.head("/")
        assert status == response.status_code
        assert response.content == b""


async def test_a_websocket_to_an_ended_session_is_refused_with_410(proxy: Proxy, table: SessionsTable) -> None:
    session_id = table.put(status="STOPPED")
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "a" * 22 + "==",
    }
    async with proxy.client(session_id, headers=upgrade) as client:
        assert (await client.get("/hmr")).status_code == 410


async def test_our_pages_load_nothing_and_cannot_be_framed(proxy: Proxy) -> None:
    response = await page(proxy, "00000000")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "src=" not in response.text
