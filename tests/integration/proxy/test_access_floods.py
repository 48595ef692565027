"""Who floods the gate is held off; who has access does not notice."""

from __future__ import annotations

import asyncio
import csv
import html
import re
import signal
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.visitor import ACCESS_COOKIE, GATED, NAVIGATION, access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.proxy.conftest import (
        HaproxyCommand,
        Proxy,
        SessionsTable,
        StartProxy,
        StartUpstream,
        Text,
    )

MOST = 600
BAD = {"Cookie": f"{ACCESS_COOKIE}=bad"}


@pytest.fixture
def gated(start_proxy: StartProxy) -> Iterator[Proxy]:
    """One for each test: a flood is remembered."""
    with start_proxy(**GATED) as running:
        yield running


@pytest.fixture
async def session_id(start_upstream: StartUpstream, table: SessionsTable, text: Text) -> str:
    upstream = await start_upstream(text("shown"))
    return table.put(ip=upstream.address, port=3000)


def visitor(address: str, **headers: str) -> dict[str, str]:
    return {"X-Forwarded-For": address, **headers}


@pytest.mark.parametrize(("path", "headers", "status"), [("/", BAD, 401), ("/.uat/enter?token=x", {}, 401)])
async def test_a_visitor_who_asks_too_much_is_refused_and_nobody_else_is(
    gated: Proxy, session_id: str, path: str, headers: dict[str, str], status: int
) -> None:
    flooding = visitor("203.0.113.9", **headers)
    with_access = visitor("203.0.113.9", **access(session_id))
    async with gated.client(session_id) as client:
        assert (await client.get("/", headers=with_access)).status_code == 200
        assert {status, 429} == set(await gated.flood(session_id, path, [flooding] * (MOST + 20)))
        refused = await client.get(path, headers=flooding | {"Accept": "text/html", **NAVIGATION})
        assert (refused.status_code, refused.headers["content-type"]) == (429, "text/html; charset=utf-8")
        assert refused.headers["retry-after"] == "10"

        assert status == (await client.get(path, headers=visitor("203.0.113.10", **headers))).status_code
        assert (await client.get("/", headers=with_access)).status_code == 200


async def test_addresses_of_one_ipv6_network_count_as_one_visitor(gated: Proxy, session_id: str) -> None:
    async with gated.client(session_id) as client:
        flooding = (visitor(f"2001:db8::{number:x}", **BAD) for number in range(MOST + 20))
        assert (await gated.flood(session_id, "/", flooding))[-1] == 429
        assert (await client.get("/", headers=visitor("2001:db8:0:1::1", **BAD))).status_code == 401


async def test_requests_without_a_cookie_cost_the_control_plane_nothing(gated: Proxy, session_id: str) -> None:
    gated.signal(signal.SIGSTOP)
    try:
        assert {401} == set(await gated.flood(session_id, "/", [NAVIGATION] * (MOST + 20)))
    finally:
        gated.signal(signal.SIGCONT)


async def test_no_more_than_a_few_questions_wait_at_the_control_plane(
    gated: Proxy, session_id: str, haproxy_command: HaproxyCommand
) -> None:
    async with gated.client(session_id) as client:
        gated.signal(signal.SIGSTOP)
        try:
            asking = [
                asyncio.create_task(client.get("/", headers=access(session_id, seconds=s))) for s in range(60, 100)
            ]
            async with asyncio.timeout(5):
                while len(asking) > len(re.findall(r" fe=lookups ", await haproxy_command(gated, "show sess"))):  # noqa: ASYNC110 - another process changes it
                    await asyncio.sleep(0.02)
            connected, queued = await load(gated, haproxy_command)
        finally:
            gated.signal(signal.SIGCONT)
        assert (16, len(asking) - 16) == (connected, queued)
        assert {200} == {(await request).status_code for request in asking}


async def test_who_could_not_be_checked_is_not_called_signed_out(gated: Proxy, session_id: str) -> None:
    async with gated.client(session_id, headers=access(session_id)) as client:
        gated.signal(signal.SIGSTOP)
        try:
            program, person = await asyncio.gather(client.get("/"), client.get("/", headers=NAVIGATION))
        finally:
            gated.signal(signal.SIGCONT)
        assert (program.status_code, program.json()["error"]) == (503, "access_unchecked")
        assert (person.status_code, person.headers["retry-after"]) == (503, "5")
        assert "Your access can't be checked right now" in html.unescape(person.text)
        assert (await client.get("/")).status_code == 200


async def load(proxy: Proxy, haproxy_command: HaproxyCommand) -> tuple[int, int]:
    """Return how many lookups are connected to the control plane, and how many wait for that."""
    head, *rows = (await haproxy_command(proxy, "show stat lookups 6 -1")).lstrip("# ").splitlines()
    stats = {row["svname"]: row for row in csv.DictReader([head, *filter(None, rows)])}
    return int(stats["control"]["scur"]), int(stats["BACKEND"]["qcur"])
