"""What HAProxy counts, and that the minute's metrics are made of it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import websockets
from tests.integration.proxy.conftest import new_address

from cloud_agent_proxy.runtime_api import RuntimeApi

if TYPE_CHECKING:
    import pytest
    from tests.integration.proxy.conftest import SessionsTable, StartProxy, StartUpstream, Text
    from websockets.asyncio.server import ServerConnection


async def test_requests_and_errors_are_counted_by_who_answered_and_health_checks_not_at_all(  # noqa: PLR0913, PLR0917 - what the proxy stands between
    start_proxy: StartProxy,
    table: SessionsTable,
    start_upstream: StartUpstream,
    text: Text,
    unused_address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    live = await start_upstream(text("live"))
    failing = await start_upstream(b"HTTP/1.1 500 Wrong\r\nContent-Length: 0\r\n\r\n")
    away = table.put(ip=new_address(), port=3000)
    sockets = table.put(ip=unused_address, port=3000)
    with start_proxy() as proxy:
        (folder,) = proxy.folder.glob("uat-proxy-*")
        monkeypatch.chdir(folder)
        haproxy = RuntimeApi()
        for ip, times in ((live.address, 3), (failing.address, 2)):
            async with proxy.client(table.put(ip=ip, port=3000)) as client:
                for _ in range(times):
                    await client.get("/")
        async with proxy.client(away) as client:
            assert (await client.get("/")).status_code == 502
            for _ in range(4):
                assert (await client.get("/health", headers={"Host": "10.0.0.7:8080"})).status_code == 200
        async with proxy.client("0a0a0a0a") as client:
            assert (await client.get("/")).status_code == 404
        async with (
            websockets.serve(hold, unused_address, 3000),
            websockets.connect(f"ws://{sockets}.uat.example.test:8080/", host=proxy.address, port=8080),
        ):
            open_streams = (await haproxy.traffic()).open_streams
        async with asyncio.timeout(5):
            while (traffic := await haproxy.traffic()).open_streams:  # noqa: ASYNC110 - HAProxy tells nobody by itself
                await asyncio.sleep(0.02)
        proxy.signal(signal.SIGTERM)
        assert await asyncio.to_thread(proxy.process.wait, 10) == 0
        (metrics,) = [line for line in proxy.log() if line["message"] == "metrics"]
    assert open_streams == 1
    assert (
        traffic.requests,
        traffic.client_errors,
        traffic.server_errors,
        traffic.dev_server_errors,
    ) == (8, 1, 1, 2)
    expected = {"Requests": 8, "ClientErrors": 1, "ServerErrors": 1, "DevServerErrors": 2, "SessionsRouted": 4}
    assert expected == {name: metrics[name] for name in expected}
