"""Where a session's visitors may be sent."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from pydantic import ValidationError

from cloud_agent_proxy.session import AddressRefusedError, Preview, Session, SessionStatus

NETWORK = IPv4Network("10.0.0.0/16")


def session(status: str = "RUNNING", ip: str | None = "10.0.4.2", port: int | None = 3000) -> Session:
    return Session.model_validate({"id": "09e22a8b", "status": status, "ip": ip, "port": port})


def test_a_running_session_has_its_address() -> None:
    assert str(session().address_within(NETWORK)) == "10.0.4.2:3000"


@pytest.mark.parametrize(
    ("row", "route"),
    [
        ({}, "10.0.4.2:3000"),
        ({"host_header": "localhost"}, "10.0.4.2:3000"),
        ({"host_header": "127.0.0.1"}, "10.0.4.2:3000:127.0.0.1"),
        ({"host_header": "public"}, "10.0.4.2:3000:public"),
    ],
)
def test_its_route_says_by_which_name_the_dev_server_is_called(row: dict[str, str], route: str) -> None:
    named = Session.model_validate(session().model_dump(exclude={"host_header"}) | row)
    address = named.address_within(NETWORK)
    assert address is not None
    assert ("10.0.4.2:3000", route) == (str(address), address.route)


@pytest.mark.parametrize("name", ["Public", "", "localhost:3000", "10.0.4.2:public", None])
def test_a_name_that_is_neither_is_refused(name: str | None) -> None:
    with pytest.raises(ValidationError, match="host_header"):
        Session.model_validate(session().model_dump() | {"host_header": name})


@pytest.mark.parametrize("status", [status for status in SessionStatus if status is not SessionStatus.RUNNING])
def test_no_other_status_has_one(status: SessionStatus) -> None:
    assert session(status).address_within(NETWORK) is None


@pytest.mark.parametrize(("ip", "port"), [(None, 3000), ("10.0.4.2", None)])
def test_half_an_address_is_none(ip: str | None, port: int | None) -> None:
    assert session(ip=ip, port=port).address_within(NETWORK) is None


@pytest.mark.parametrize("ip", ["10.1.0.1", "9.255.255.255", "127.0.0.1", "0.0.0.1", "169.254.169.254"])
def test_an_address_outside_the_network_is_refused(ip: str) -> None:
    with pytest.raises(AddressRefusedError, match=ip):
        session(ip=ip).address_within(NETWORK)


@pytest.mark.parametrize("ip", ["169.254.169.254", "169.254.170.2"])
def test_a_link_local_address_is_refused_in_any_network(ip: str) -> None:
    with pytest.raises(AddressRefusedError, match=ip):
        session(ip=ip).address_within(IPv4Network("0.0.0.0/0"))


@pytest.mark.parametrize("port", [-1, 0, 22, 1023, 65536])
def test_a_port_outside_1024_to_65535_is_refused(port: int) -> None:
    with pytest.raises(AddressRefusedError, match=str(port)):
        session(port=port).address_within(NETWORK)


@pytest.mark.parametrize("port", [1024, 65535])
def test_the_first_and_the_last_port_are_fine(port: int) -> None:
    address = session(port=port).address_within(NETWORK)
    assert address is not None
    assert (IPv4Address("10.0.4.2"), port) == (address.ip, address.port)


@pytest.mark.parametrize(
    ("state", "is_shown"), [("starting", False), ("live", True), ("failed", False), ("none", False)]
)
def test_who_opens_a_preview_that_is_not_there_is_shown_why_instead(state: str, *, is_shown: bool) -> None:
    running = session().model_copy(update={"preview": Preview.model_validate({"state": state})})
    assert (running.address_within(NETWORK) is not None) == is_shown


def test_a_preview_that_was_moved_is_visited_at_its_port() -> None:
    moved = session().model_copy(update={"preview_port": 23300})
    assert str(moved.address_within(NETWORK)) == "10.0.4.2:23300"
    with pytest.raises(AddressRefusedError):
        session().model_copy(update={"preview_port": 22}).address_within(NETWORK)
