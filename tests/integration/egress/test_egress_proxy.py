"""What the egress proxy lets through and what it refuses: the real Squid, as its image starts it."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr
from tests.integration.egress.conftest import AGENT, BELOW, LISTED, NOT_LISTED, PRIVATE, UNIT
from tests.tools.public_addresses import NOT_PUBLIC

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.authorities import authorities
from cloud_agent_runner.model.api import AnthropicApi
from cloud_agent_runner.model.budget import ModelBudget
from cloud_agent_runner.model.gateway import model_gateway
from cloud_agent_runner.workspace.network_environment import network_environment
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.egress.conftest import Egress

RESPONSE = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("name", [LISTED, LISTED.upper(), BELOW])
def test_a_listed_name_is_reached_and_its_tls_is_its_own(egress: Egress, name: str) -> None:
    assert egress.get(name, name).startswith(RESPONSE)


@pytest.mark.parametrize(
    "host",
    [
        *(NOT_LISTED, f"below.{LISTED}", f"{LISTED}.{NOT_LISTED}", "notbelow.test"),
        *("127.0.0.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"),
    ],
)
def test_another_name_and_every_address_is_refused(egress: Egress, host: str) -> None:
    assert egress.status(host) == 403


def test_a_listed_name_with_a_private_address_is_refused(egress: Egress) -> None:
    assert egress.status(PRIVATE) == 403


def test_a_listed_name_without_an_address_is_no_tunnel(egress: Egress) -> None:
    assert egress.status("unknown.test") == 503


@pytest.mark.parametrize("port", [22, 80, 8443])
def test_another_port_is_refused(egress: Egress, port: int) -> None:
    assert egress.status(LISTED, port) == 403


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_request_without_tls_is_refused(egress: Egress, method: str) -> None:
    address = f"{LISTED}:{egress.upstream.port}"
    with socket.create_connection(("127.0.0.1", egress.port), 10) as connection:
        assert egress.send(connection, f"{method} http://{address}/ HTTP/1.1\r\nHost: {address}\r\n\r\n") == 403


def test_another_name_in_the_handshake_is_cut_off_and_logged_with_the_agents_address(egress: Egress) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        egress.get(LISTED, NOT_LISTED)

    def logged() -> bool:
        return any(line.get("refused_name") == NOT_LISTED and line["agent"] == AGENT for line in egress.logged())

    eventually(logged, 10)


def test_a_handshake_without_a_name_is_held_to_the_requests(egress: Egress) -> None:
    assert egress.get(LISTED).startswith(RESPONSE)


def test_what_is_not_tls_gets_no_further(egress: Egress) -> None:
    with egress.tunnel(LISTED) as (status, connection):
        assert status == 200
        connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
        assert connection.recv(1024) == b""


def test_a_refused_name_is_logged(egress: Egress) -> None:
    egress.status("refused.test")
    line = eventually(lambda: next((one for one in egress.logged() if one.get("host") == "refused.test"), None), 10)
    assert (line["agent"], line["method"], line["status"]) == (AGENT, "CONNECT", 403)


def test_a_name_below_another_of_the_list_stands_there_once(egress: Egress) -> None:
    listed = (egress.authority.parent / "listed").read_text().split()
    assert sorted(listed) == [".below.test", LISTED, "private.listed.test", "unknown.test"]


def test_what_is_not_public_is_what_the_security_group_leaves_out() -> None:
    lines = [line for line in (UNIT / "not_public.acl").read_text().splitlines() if not line.startswith("#")]
    assert {line for line in lines if ":" not in line} == NOT_PUBLIC.keys() | {"0.0.0.0/8"}


@pytest.fixture
def _authorities_anew() -> Iterator[None]:
    authorities.cache_clear()
    yield
    authorities.cache_clear()


@pytest.mark.usefixtures("_authorities_anew")
async def test_the_supervisors_own_clients_go_through_it(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in network_environment({"HTTPS_PROXY": egress.url}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SSL_CERT_FILE", str(egress.authority))
    url = f"https://{LISTED}:{egress.upstream.port}"

    api = AgentApi(url, SecretStr("token"), SecretStr("task token"))
    await api.heartbeat()
    await api.aclose()
    model = AnthropicApi("claude-sonnet-5", url, SecretStr("sk-ant-key"))
    body = {"model": model.model, "max_tokens": 1, "messages": []}
    async with model_gateway(model, ModelBudget(max_turns=1, budget_usd=1)) as gateway, httpx.AsyncClient() as http:
        with gateway.turn() as turn:
            response = await http.post(f"{gateway.url}/v1/messages", headers={"x-api-key": turn.key}, json=body)
    assert response.status_code == 200
    assert {"/agent/heartbeat", "/v1/messages"} <= {request.path for request in egress.upstream.requests}


@pytest.mark.parametrize(("name", "is_listed"), [(LISTED, True), (NOT_LISTED, False)])
def test_git_goes_through_it_and_says_why_not(egress: Egress, name: str, *, is_listed: bool) -> None:
    environment = {
        **network_environment({"HTTPS_PROXY": egress.url}),
        "GIT_SSL_CAINFO": str(egress.authority),
        "PATH": os.environ["PATH"],
    }
    command = ["git", "ls-remote", f"https://{name}:{egress.upstream.port}/{name}.git"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ("403" in result.stderr) is not is_listed
    assert any(f"/{name}.git" in request.path for request in egress.upstream.requests) is is_listed
