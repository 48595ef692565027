"""Which address the proxy listens on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kit.http_server import Response, serve_http

from cloud_agent_proxy.listen_address import MetadataUnavailableError, listen_address

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def metadata(request: pytest.FixtureRequest) -> Iterator[str]:
    with serve_http(request.param) as server:
        yield f"{server.url}/v4/x"


def networks(*addresses: str) -> Response:
    return Response.of({"Networks": [{"IPv4Addresses": list(addresses)}]})


def test_without_metadata_it_is_every_address() -> None:
    assert str(listen_address(None)) == "0.0.0.0"  # noqa: S104 - the expected answer


@pytest.mark.parametrize("metadata", [networks("10.0.3.7")], indirect=True)
def test_a_task_with_a_network_of_its_own_takes_every_address(metadata: str) -> None:
    assert str(listen_address(metadata)) == "0.0.0.0"  # noqa: S104 - the expected answer


@pytest.mark.parametrize("metadata", [networks("127.4.5.6")], indirect=True)
def test_a_task_that_shares_the_loopback_takes_its_own_address_only(metadata: str) -> None:
    assert str(listen_address(metadata)) == "127.4.5.6"


@pytest.mark.parametrize(
    "metadata",
    [Response.of({}), Response(200, b"not json"), Response.of({"Networks": []}), networks(), networks("x")],
    indirect=True,
)
def test_metadata_without_an_address_is_an_error_that_names_the_variable(metadata: str) -> None:
    with pytest.raises(MetadataUnavailableError, match="ECS_CONTAINER_METADATA_URI_V4"):
        listen_address(metadata)


def test_metadata_that_does_not_answer_is_the_same_error() -> None:
    with pytest.raises(MetadataUnavailableError, match="ECS_CONTAINER_METADATA_URI_V4"):
        listen_address("http://127.0.0.1:1/v4")
