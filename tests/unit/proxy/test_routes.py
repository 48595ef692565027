"""A container is reached by the name of one session only."""

from __future__ import annotations

import contextlib
import itertools
from ipaddress import IPv4Address

import pytest

from cloud_agent_proxy.routes import Routes
from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError
from cloud_agent_proxy.session import Address, HostHeader

pytestmark = pytest.mark.security

ONE, OTHER, THIRD = "11111111", "22222222", "33333333"
HERE = Address(IPv4Address("10.0.0.1"), 3000)
HERE_ON_ANOTHER_PORT = Address(IPv4Address("10.0.0.1"), 4000)
HERE_BY_THE_PUBLIC_NAME = Address(IPv4Address("10.0.0.1"), 3000, HostHeader.PUBLIC)
ELSEWHERE = Address(IPv4Address("10.0.0.2"), 3000)


class Haproxy(RuntimeApi):
    """Keeps the map as HAProxy would; refuses the orders that a test names."""

    def __init__(self) -> None:
        self.map: dict[str, str] = {}
        self.orders: list[str] = []
        self.refused = ""

    async def _ask(self, command: str) -> str:
        if self.refused and command.startswith(self.refused):
            raise RuntimeApiError(command)
        self.orders.append(command)
        match command.split():
            case ["add", "map", _, session_id, address]:
                assert session_id not in self.map
                self.map[session_id] = address
            case ["del", "map", _, session_id]:
                self.map.pop(session_id, None)
        return ""


@pytest.fixture
def haproxy() -> Haproxy:
    return Haproxy()


@pytest.fixture
def routes(haproxy: Haproxy) -> Routes:
    return Routes(haproxy)


@pytest.mark.parametrize("claim", [HERE, HERE_ON_ANOTHER_PORT, HERE_BY_THE_PUBLIC_NAME])
async def test_neither_of_two_sessions_with_one_address_is_routed(
    routes: Routes, haproxy: Haproxy, claim: Address, caplog: pytest.LogCaptureFixture
) -> None:
    await routes.assign(ONE, HERE)
    await routes.assign(OTHER, claim)
    assert haproxy.map == {}
    assert (routes.address_of(ONE), routes.address_of(OTHER)) == (None, None)
    assert haproxy.orders[-1] == "show sess all"  # who was connected is not any more
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (vars(record)["address"], vars(record)["sessions"]) == ("10.0.0.1", [ONE, OTHER])


@pytest.mark.parametrize("former", [ONE, OTHER])
@pytest.mark.parametrize("now", [None, ELSEWHERE])
async def test_the_other_is_routed_as_soon_as_one_lets_go(
    routes: Routes, haproxy: Haproxy, former: str, now: Address | None
) -> None:
    await routes.assign(ONE, HERE)
    await routes.assign(OTHER, HERE)
    await routes.assign(former, now)
    rightful = OTHER if former == ONE else ONE
    assert {rightful: str(HERE)} | ({former: str(now)} if now else {}) == haproxy.map


async def test_of_three_none_is_routed_until_one_is_left(routes: Routes, haproxy: Haproxy) -> None:
    for session_id in (ONE, OTHER, THIRD):
        await routes.assign(session_id, HERE)
    await routes.assign(ONE, None)
    assert haproxy.map == {}
    await routes.assign(OTHER, None)
    assert {THIRD: str(HERE)} == haproxy.map


async def test_another_name_is_another_route_that_takes_the_formers_connections_with_it(
    routes: Routes, haproxy: Haproxy
) -> None:
    await routes.assign(ONE, HERE)
    await routes.assign(ONE, HERE_BY_THE_PUBLIC_NAME)
    assert [
        f"add map sessions.map {ONE} 10.0.0.1:3000",
        f"del map sessions.map {ONE}",
        "show sess all",
        f"add map sessions.map {ONE} 10.0.0.1:3000:public",
    ] == haproxy.orders


async def test_sessions_elsewhere_are_left_alone(routes: Routes, haproxy: Haproxy) -> None:
    await routes.assign(THIRD, ELSEWHERE)
    await routes.assign(ONE, HERE)
    await routes.assign(OTHER, HERE)
    assert {THIRD: str(ELSEWHERE)} == haproxy.map
    assert [order for order in haproxy.orders if THIRD in order and order.startswith("del")] == []


@pytest.mark.parametrize("refused", ["del map", "show sess", "add map"])
async def test_what_haproxy_did_not_take_is_made_good_by_the_next_call_for_any_session(
    routes: Routes, haproxy: Haproxy, refused: str
) -> None:
    await routes.assign(ONE, HERE)
    await routes.assign(OTHER, HERE)
    await routes.assign(OTHER, ELSEWHERE)
    haproxy.refused = refused
    for claim in (HERE, None):
        with contextlib.suppress(RuntimeApiError):
            await routes.assign(OTHER, claim)
    haproxy.refused = ""
    await routes.assign(THIRD, ELSEWHERE)
    assert {ONE: str(HERE), THIRD: str(ELSEWHERE)} == haproxy.map


async def test_whatever_the_order_no_address_is_ever_given_twice(routes: Routes, haproxy: Haproxy) -> None:
    places: tuple[Address | None, ...] = (None, HERE, HERE_ON_ANOTHER_PORT, HERE_BY_THE_PUBLIC_NAME, ELSEWHERE)
    steps = [(session_id, place) for place in places for session_id in (ONE, OTHER, THIRD)]
    for session_id, place in itertools.chain(*itertools.permutations(steps, 2)):
        await routes.assign(session_id, place)
        ips = [address.partition(":")[0] for address in haproxy.map.values()]
        assert len(set(ips)) == len(ips)
