"""`/.uat/status`: what a waiting page asks, and the other paths that are the proxy's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx
    from tests.integration.proxy.conftest import (
        HaproxyCommand,
        Proxy,
        SessionsTable,
        StartProxy,
        StartUpstream,
        Text,
    )
    from tests.integration.proxy.line import Line


async def ask(proxy: Proxy, session_id: str) -> httpx.Response:
    async with proxy.client(session_id) as client:
        return await client.get("/.uat/status?a=b")


async def status(proxy: Proxy, session_id: str) -> dict[str, Any]:
    response = await ask(proxy, session_id)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    fields: dict[str, Any] = response.json()
    return fields


def states(fields: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["state"] for step in fields["steps"]}


async def test_a_starting_session_tells_the_step_it_is_in(proxy: Proxy, table: SessionsTable) -> None:
    session_id = table.put(status="STARTING", initial_sha="1f2e3d", pull_number=7, start_token="made-up")
    fields = await status(proxy, session_id)
    assert states(fields) == {
        "Creating the branch": "done",
        "Opening the pull request": "done",
        "Waiting for capacity": "done",
        "Starting the container": "done",
        "Connecting": "current",
    }
    assert (session_id, "STARTING", False) == (fields["session_id"], fields["status"], fields["live"])
    assert "made-up" not in str(fields)


async def test_a_dev_server_that_answers_is_live_and_has_been_asked_without_a_visit(
    proxy: Proxy,
    table: SessionsTable,
    start_upstream: StartUpstream,
    text: Text,
    haproxy_command: HaproxyCommand,
) -> None:
    upstream = await start_upstream(text("hello"))
    session_id = table.put(ip=upstream.address, port=3000)
    await status(proxy, session_id)
    fields = await status(proxy, session_id)  # by now HAProxy knows the way to the dev server
    assert (fields["live"], fields["hop"], fields["retry_after_seconds"]) == (True, None, None)
    assert {b"OPTIONS / HTTP/1.1"} == {head.splitlines()[0] for head in upstream.requests}
    assert session_id not in await haproxy_command(proxy, "show table visits")


async def test_a_dev_server_that_does_not_listen_is_named_with_the_end_of_its_log(
    proxy: Proxy, table: SessionsTable, unused_address: str
) -> None:
    log = {"state": "live", "log": "\n".join(f"line {number}" for number in range(100))}
    fields = await status(proxy, table.put(ip=unused_address, port=3000, preview=log))
    assert not fields["live"]
    assert fields["hop"] == "The dev server isn't listening: the container refuses connections on port 3000."
    assert states(fields) == {"Proxy": "done", "Container": "done", "Dev server": "failed"}
    assert fields["log"].splitlines()[0] == "line 60"
    assert fields["log"].splitlines()[-1] == "line 99"
    assert fields["retry_after_seconds"]


async def test_an_ended_session_tells_why_and_is_not_to_be_asked_again(proxy: Proxy, table: SessionsTable) -> None:
    fields = await status(proxy, table.put(status="STOPPED", end_reason="The pull request was merged."))
    assert (
        fields["status"],
        fields["reason"],
        fields["retry_after_seconds"],
    ) == ("STOPPED", "The pull request was merged.", None)


async def test_of_an_unknown_session_there_is_no_status(proxy: Proxy) -> None:
    response = await ask(proxy, "00000000")
    assert response.status_code == 404
    assert response.json()["error"] == "session_unknown"


async def test_an_address_that_visitors_are_not_sent_to_is_not_tried_either(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("another's"))
    session_id = table.put(ip=upstream.address, port=3000)
    with start_proxy(AGENT_CIDR="10.0.0.0/8") as elsewhere:
        fields = await status(elsewhere, session_id)
    assert fields["hop"] == "The container has no address to connect to."
    assert upstream.requests == []


async def test_while_the_table_is_away_it_says_so_and_is_asked_again(start_proxy: StartProxy, line: Line) -> None:
    with start_proxy(endpoint=f"http://127.0.0.1:{line.port}") as proxy:
        await line.cut()
        response = await ask(proxy, "00000000")
    assert response.status_code == 503
    assert response.json()["error"] == "sessions_unavailable"
    assert response.json()["retry_after_seconds"]


@pytest.mark.parametrize(
    "line",
    ["GET /.uat/other", "POST /.uat/nothing", "OPTIONS /.uat/status/more", "GET /.uat/../secret", "POST /.uat/status"],
)
async def test_the_proxys_own_paths_reach_no_dev_server(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text, line: str
) -> None:
    upstream = await start_upstream(text("hello"))
    host = f"Host: {table.put(ip=upstream.address, port=3000)}.uat.example.test"
    answer = await proxy.exchange(f"{line} HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"Page not found" in answer
    assert upstream.requests == []


async def test_a_program_is_told_as_json_that_a_path_is_unknown(proxy: Proxy) -> None:
    async with proxy.client("00000000", headers={"Accept": "application/json"}) as client:
        response = await client.get("/.uat/nothing")
    assert response.status_code == 404
    assert response.json()["error"] == "path_unknown"


async def test_a_path_that_only_looks_like_the_proxys_own_is_the_dev_servers(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("hello"))
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        for path in ("/.uat", "/.uatx/status", "/a/.uat/status"):
            assert (await client.get(path)).text == "hello"
