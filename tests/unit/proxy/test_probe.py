"""Which hop is broken, found out on real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from ipaddress import IPv4Address

import pytest
from tests.kit.ports import free_port
from tests.kit.raw_server import Serve, serve_raw

from cloud_agent_proxy.probe import Finding, Probe
from cloud_agent_proxy.session import Address

LOCALHOST = IPv4Address("127.0.0.1")
Listen = Callable[[Serve], Awaitable[Address]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    async with AsyncExitStack() as servers:

        async def start(serve: Serve) -> Address:
            return Address(LOCALHOST, await servers.enter_async_context(serve_raw(serve)))

        yield start


def saying(answer: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    return serve


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.0 500 Oops\r\n\r\n", b"HTTP/1.1 404 \r\n\r\n"]
)
async def test_any_http_answer_is_an_answer(listen: Listen, answer: bytes) -> None:
    assert await Probe().try_out(await listen(saying(answer))) == Finding.RESPONDS


@pytest.mark.parametrize("answer", [b"this is not HTTP\r\n\r\n", b"HTTP/1", b"HTTP/1.1 99 Odd number\r\n", b"\x16\x03"])
async def test_anything_else_is_nonsense(listen: Listen, answer: bytes) -> None:
    assert await Probe().try_out(await listen(saying(answer))) == Finding.NONSENSE


async def test_a_port_where_nobody_listens_is_refused() -> None:
    assert await Probe().try_out(Address(LOCALHOST, free_port())) == Finding.REFUSED


async def test_a_connection_that_is_closed_at_once_is_told_from_nonsense(listen: Listen) -> None:
    async def close(*_: object) -> None:
        """Nothing before the end."""

    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    for serve in (close, reset):
        assert await Probe().try_out(await listen(serve)) == Finding.CLOSED


async def test_a_server_that_takes_the_connection_and_says_nothing_is_silent(listen: Listen) -> None:
    done = asyncio.Event()

    async def wait(*_: object) -> None:
        await done.wait()

    finding = await Probe().try_out(await listen(wait))
    done.set()
    assert finding == Finding.SILENT


async def test_a_container_that_sends_nothing_back_is_unreachable() -> None:
    with socket.socket() as listener, socket.socket() as only_guest:
        listener.bind((str(LOCALHOST), 0))
        listener.listen(0)  # the kernel drops whatever comes once one connection waits to be accepted
        only_guest.connect(listener.getsockname())
        assert await Probe().try_out(Address(LOCALHOST, listener.getsockname()[1])) == Finding.UNREACHABLE


async def test_all_who_ask_within_a_second_share_one_try(listen: Listen) -> None:
    now, tries = 100.0, 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        await saying(b"HTTP/1.1 200 OK\r\n\r\n")(reader, writer)

    address, probe = await listen(count), Probe(lambda: now)
    assert {Finding.RESPONDS} == set(await asyncio.gather(*(probe.try_out(address) for _ in range(50))))
    await probe.try_out(address)
    assert tries == 1
    now += 1
    await probe.try_out(address)
    assert tries == 2


async def test_a_visitor_who_leaves_does_not_end_the_others_try(listen: Listen) -> None:
    may_answer = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_answer.wait()
        await saying(b"HTTP/1.1 200 OK\r\n\r\n")(reader, writer)

    address, probe = await listen(wait), Probe()
    leaving, staying = (asyncio.create_task(probe.try_out(address)) for _ in range(2))
    await asyncio.sleep(0.05)
    leaving.cancel()
    may_answer.set()
    assert await staying == Finding.RESPONDS
