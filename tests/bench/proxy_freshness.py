"""How soon a change of a session's row applies on every proxy, and how soon a new session is shown.

    python tests/bench/proxy_freshness.py [--changes 20]

Starts a DynamoDB endpoint, two proxies and a dev server on this machine's loopback addresses (about a minute for 20
changes), prints one table and ends everything. A stop and a move have applied when both proxies answer a visitor by
the new row; each is timed from the moment the write of the row was begun. A visitor asks every 5 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.integration.proxy.conftest import (
    create_table,
    host_of,
    new_address,
    run_proxy,
    serve_aws,
    serve_metadata,
)
from tests.kit.raw_server import serve_raw

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy, SessionsTable

_PAUSE_SECONDS = 0.005
_GIVE_UP_SECONDS = 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=20)
    changes = parser.parse_args().changes
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as running:
        endpoint = running.enter_context(serve_aws(_folder(root)))
        metadata_url = running.enter_context(serve_metadata())
        table = create_table(endpoint)
        environment = {"AWS_ENDPOINT_URL": endpoint, "SESSIONS_TABLE": table.name}
        proxies = [running.enter_context(run_proxy(_folder(root), environment, metadata_url)) for _ in range(2)]
        times = asyncio.run(_measure(proxies, table, changes))
    print(f"| on both of two proxies, {changes} times | median | longest |\n|---|---|---|")
    for what, seconds in times.items():
        print(f"| {what} | {statistics.median(seconds) * 1000:.0f} ms | {max(seconds) * 1000:.0f} ms |")


def _folder(root: str) -> Path:
    return Path(tempfile.mkdtemp(dir=root))


async def _measure(proxies: list[Proxy], table: SessionsTable, changes: int) -> dict[str, list[float]]:
    old, new = new_address(), new_address()
    times: dict[str, list[float]] = {"a new session is shown": [], "a move has applied": [], "a stop has applied": []}
    steps: tuple[tuple[str, dict[str, str | int], str], ...] = (
        ("a new session is shown", {"ip": old, "port": 3000}, f"200 {old}"),
        ("a move has applied", {"ip": new, "port": 3000}, f"200 {new}"),
        ("a stop has applied", {"status": "STOPPED"}, "410"),
    )
    async with serve_raw(_say_address, old, 3000), serve_raw(_say_address, new, 3000):
        for _ in range(changes):
            session_id = secrets.token_hex(4)
            for what, row, expected in steps:
                await asyncio.sleep(random.random())  # noqa: S311 - a row is written at any moment of the polling
                times[what].append(await _until_both_answer(proxies, table, {"id": session_id, **row}, expected))
    return times


async def _until_both_answer(
    proxies: list[Proxy], table: SessionsTable, row: dict[str, str | int], expected: str
) -> float:
    began = time.perf_counter()
    await asyncio.to_thread(table.put, **row)
    await asyncio.gather(*(_until_answered(proxy, str(row["id"]), expected) for proxy in proxies))
    return time.perf_counter() - began


async def _until_answered(proxy: Proxy, session_id: str, expected: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host_of(session_id)}\r\nConnection: close\r\n\r\n".encode()
    answer = ""
    async with asyncio.timeout(_GIVE_UP_SECONDS):
        while not answer.startswith(expected):
            head, _, body = (await proxy.exchange(request)).decode().partition("\r\n\r\n")
            answer = f"{head[9:12]} {body}"  # nothing, if the change closed the connection under the request
            await asyncio.sleep(_PAUSE_SECONDS)


async def _say_address(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A dev server that answers every request with its own address."""
    body = str(writer.get_extra_info("sockname")[0])
    await reader.readuntil(b"\r\n\r\n")
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())


if __name__ == "__main__":
    main()
