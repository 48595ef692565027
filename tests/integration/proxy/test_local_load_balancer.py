"""The local load balancer against the embedded elbv2."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from tests.kit.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.proxy.conftest import StartUpstream, Text


PROGRAM = [sys.executable, "-m", "cloud_agent_local.load_balancer"]


@dataclass
class Balancer:
    elbv2: Any
    arn: str
    port: int
    process: subprocess.Popen[bytes]

    def register(self, address: str, port: int) -> None:
        self.elbv2.register_targets(TargetGroupArn=self.arn, Targets=[{"Id": address, "Port": port}])

    async def becomes(self, expected: set[str]) -> None:
        """Wait until ten visits in a row give exactly these answers."""
        async with asyncio.timeout(60):
            while expected != {await self.visit() for _ in range(10)}:  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.05)

    async def visit(self, body: bytes = b"") -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            with contextlib.suppress(httpx.ConnectError):
                return (await client.post(f"http://127.0.0.1:{self.port}/", content=body)).text
            return "refused"


@pytest.fixture
def balancer(aws_endpoint: str) -> Iterator[Balancer]:
    elbv2 = boto3.client(
        "elbv2",
        endpoint_url=aws_endpoint,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    created = elbv2.create_target_group(
        Name=f"t-{secrets.token_hex(4)}", Protocol="HTTP", Port=8080, VpcId="vpc-1", TargetType="ip"
    )
    arn = created["TargetGroups"][0]["TargetGroupArn"]
    port = free_port()
    process = subprocess.Popen(
        [
            *PROGRAM,
            "--port",
            str(port),
            "--target-group-arn",
            arn,
            "--endpoint-url",
            aws_endpoint,
        ],
        stderr=subprocess.PIPE,
    )
    try:
        yield Balancer(elbv2, arn, port, process)
    finally:
        process.terminate()
        process.communicate(timeout=10)


async def test_without_a_target_it_answers_503_and_with_one_it_carries(
    balancer: Balancer, start_upstream: StartUpstream, text: Text
) -> None:
    await balancer.becomes({"The proxy is not up: try again shortly"})
    assert await balancer.visit(b"x" * 1_000_000) == "The proxy is not up: try again shortly"
    upstream = await start_upstream(text("one"))
    balancer.register(upstream.address, 3000)
    await balancer.becomes({"one"})


async def test_targets_take_turns_and_a_refused_one_is_passed_over(
    balancer: Balancer, start_upstream: StartUpstream, text: Text, unused_address: str
) -> None:
    balancer.register(unused_address, 3000)
    for name in ("one", "two"):
        upstream = await start_upstream(text(name))
        balancer.register(upstream.address, 3000)
    await balancer.becomes({"one", "two"})


async def test_a_target_that_closes_ends_the_visitors_connection(
    balancer: Balancer, start_upstream: StartUpstream
) -> None:
    upstream = await start_upstream(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
    balancer.register(upstream.address, 3000)
    await balancer.becomes({"until the end"})


async def test_sigterm_ends_it_with_0(balancer: Balancer) -> None:
    await balancer.becomes({"The proxy is not up: try again shortly"})
    balancer.process.terminate()
    assert await asyncio.to_thread(balancer.process.wait, 10) == 0


def test_a_taken_port_is_said_and_ends_it_with_1(aws_endpoint: str) -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/t/1"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [*PROGRAM, "--port", port, "--target-group-arn", arn, "--endpoint-url", aws_endpoint],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    assert result.returncode == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "in use" in result.stderr
