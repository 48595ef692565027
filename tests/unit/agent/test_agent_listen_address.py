from __future__ import annotations

import pytest
from tests.kit.http_server import Response, serve_http

from cloud_agent_runner.preview.listen_address import ListenAddress, listen_address


async def _listen_address_of(own: str) -> ListenAddress:
    with serve_http(Response.of({"Networks": [{"IPv4Addresses": [own]}]})) as metadata:
        return await listen_address(f"{metadata.url}/v4/id", "uat.example.com")


@pytest.mark.parametrize(
    ("own", "host"),
    [("10.0.2.133", "0.0.0.0"), ("127.0.44.2", "127.0.44.2")],  # noqa: S104 - the expectation
)
async def test_the_own_address_decides_where_to_listen(own: str, host: str) -> None:
    assert ListenAddress(host, own, 3000, "uat.example.com") == await _listen_address_of(own)


async def test_tasks_that_share_one_address_get_a_port_each() -> None:
    address = await _listen_address_of("127.0.0.1")
    assert (address.host, address.reached_at) == ("127.0.0.1", "127.0.0.1")
    assert address.port != 3000
