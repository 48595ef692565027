from __future__ import annotations

import asyncio
import json

import pytest

from cloud_agent_runner.listen_address import ListenAddress, listen_address


async def _listen_address_of(own: str) -> ListenAddress:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"Networks": [{"IPv4Addresses": [own]}]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as metadata:
        port = metadata.sockets[0].getsockname()[1]
        return await listen_address(f"http://127.0.0.1:{port}/v4/id")


@pytest.mark.parametrize(
    ("own", "host"),
    [("10.0.2.133", "0.0.0.0"), ("127.0.44.2", "127.0.44.2")],  # noqa: S104 - the expectation
)
async def test_the_own_address_decides_where_to_listen(own: str, host: str) -> None:
    assert ListenAddress(host, own, 3000) == await _listen_address_of(own)


async def test_tasks_that_share_one_address_get_a_port_each() -> None:
    address = await _listen_address_of("127.0.0.1")
    assert (address.host, address.reached_at) == ("127.0.0.1", "127.0.0.1")
    assert address.port != 3000
