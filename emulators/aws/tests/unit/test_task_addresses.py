"""Who gets which address."""

from __future__ import annotations

import errno
import ipaddress
import socket

import pytest

from embedded_aws.addresses import AddressesExhaustedError, TaskAddresses


def test_a_task_keeps_its_address_and_no_other_gets_it() -> None:
    addresses = TaskAddresses()
    first, second = addresses.of("task-1"), addresses.of("task-2")
    assert first == addresses.of("task-1")
    assert first != second
    for task in ("task-1", "task-2"):
        addresses.release(task)


def test_addresses_are_of_this_machine_but_not_where_it_keeps_its_own() -> None:
    addresses = TaskAddresses()
    address = ipaddress.ip_address(addresses.of("task"))
    addresses.release("task")
    assert address in ipaddress.ip_network("127.64.0.0/10")


def test_two_on_one_machine_go_by_the_addresses_the_other_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _: 5_000)  # both begin at the same address
    one, other = TaskAddresses(), TaskAddresses()
    held = [one.of("task-1"), other.of("task-1"), one.of("task-2")]
    assert len(set(held)) == 3
    one.release("task-1")
    one.release("task-2")
    other.release("task-1")


def test_a_released_address_can_be_had_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _: 6_000)
    first = TaskAddresses()
    address = first.of("task")
    first.release("task")
    second = TaskAddresses()
    assert address == second.of("task")
    second.release("task")


def _refuse(error: int) -> None:
    raise OSError(error, "refused")


def test_where_127_0_0_1_is_the_only_address_all_tasks_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", lambda *_: _refuse(errno.EADDRNOTAVAIL))
    addresses = TaskAddresses()
    assert [addresses.of("task-1"), addresses.of("task-2")] == ["127.0.0.1", "127.0.0.1"]
    addresses.release("task-1")


def test_when_all_addresses_are_held_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", lambda *_: _refuse(errno.EADDRINUSE))
    with pytest.raises(AddressesExhaustedError, match="in use on port"):
        TaskAddresses().of("task")


def test_releasing_what_was_never_given_is_nothing() -> None:
    TaskAddresses().release("task")
