"""HAProxy's runtime API: its maps, its open streams and the visits it has seen, while it runs."""

from __future__ import annotations

import asyncio
import csv
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VISITS_REMEMBERED = timedelta(minutes=1)
"""For how long HAProxy lists a visit; a later one to the same session takes its place."""

_SOCKET = "haproxy.sock"
_TIMEOUT_SECONDS = 5
_ORDERS_A_LINE = 200  # a line must fit HAProxy's buffer of 16 KB; one order has some 35 bytes
_ADMISSIONS_A_LINE = 200  # the same; one order has some 45 bytes
_STREAM = re.compile(r"^(0x[0-9a-f]+): ", re.MULTILINE)
_WEBSOCKET = re.compile(r"^  txn=\S+ .* status=101 ", re.MULTILINE)
_CONNECTED = re.compile(r"^  server=session \(id=\d+\) addr=(\S+)$", re.MULTILINE)
# An entry whose time is over stays, with none left, for as long as its stream is open.
_VISIT = re.compile(r" key=([0-9a-f]{8}) use=\d+ exp=([1-9]\d*)\b")


class RuntimeApiError(Exception):
    """HAProxy did not do what it was told."""


@dataclass(frozen=True)
class Traffic:
    """What HAProxy has counted since its start; the load balancer's health checks are left out."""

    requests: int
    client_errors: int
    """Answers 4xx, whoever gave them."""
    server_errors: int
    """Answers 5xx of our own: no dev server, or one that does not answer."""
    dev_server_errors: int
    """Answers 5xx that a dev server gave itself."""
    open_streams: int
    """Requests and WebSockets that are with a dev server at this moment."""


class RuntimeApi:
    """Speaks to the HAProxy whose private folder is the working directory of this process."""

    async def map_session(self, session_id: str, route: str) -> None:
        """Add an entry; one of the same id must not be there, for the older would win.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        await self._order(f"add map sessions.map {session_id} {route}")

    async def unmap_session(self, session_id: str) -> None:
        """Remove the session's entry, if there is one.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        await self._order(f"del map sessions.map {session_id}", also_fine="Key not found.")

    async def map_revision(self, session_id: str, revision: int) -> None:
        """Add an entry, in place of the session's former one.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        orders = f"del map revisions.map {session_id}; add map revisions.map {session_id} {revision}"
        await self._order(orders, also_fine="Key not found.")

    async def unmap_revision(self, session_id: str) -> None:
        """Remove the session's entry, if there is one.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        await self._order(f"del map revisions.map {session_id}", also_fine="Key not found.")

    async def add_admission(self, key: str, token: str, expires_at: int) -> None:
        """Let who shows `token` pass, until this second of the epoch; `key` is by which HAProxy finds the entry.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        await self._order(f"add map admissions.map {key} {expires_at:010}:{token}")

    async def remove_admissions(self, keys: Sequence[str]) -> None:
        """Remove these entries, as far as they are there.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        for first in range(0, len(keys), _ADMISSIONS_A_LINE):
            orders = [f"del map admissions.map {key}" for key in keys[first : first + _ADMISSIONS_A_LINE]]
            await self._order("; ".join(orders), also_fine="Key not found.")

    async def close_streams_to(self, address: str) -> int:
        """Close every request and WebSocket that is connected to `address`; return how many.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        return await self._close(re.compile(rf"^  server=session \(id=\d+\) addr={re.escape(address)}$", re.MULTILINE))

    async def addresses_in_use(self) -> set[str]:
        """Return the addresses to which a request or a WebSocket is connected.

        Raises:
            RuntimeApiError: HAProxy did not respond.
        """
        return set(_CONNECTED.findall(await self._ask("show sess all")))

    async def accept_nobody_new(self) -> None:
        """Close the listener for good; requests under way go on, and each connection ends with its own.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        await self._order("shutdown frontend visitors")

    async def close_websockets(self) -> int:
        """Close every WebSocket; return how many.

        Raises:
            RuntimeApiError: HAProxy refused or did not respond.
        """
        return await self._close(_WEBSOCKET)

    async def count_requests(self) -> int:
        """Return how many visitors' requests and WebSockets are under way.

        Raises:
            RuntimeApiError: HAProxy did not respond.
        """
        return (await self._ask("show sess")).count(" fe=visitors ")

    async def traffic(self) -> Traffic:
        """Return what HAProxy has counted.

        Raises:
            RuntimeApiError: HAProxy did not respond.
        """
        listing = await self._ask("show stat")
        if not listing.startswith("# pxname,svname,"):
            raise RuntimeApiError(f"show stat: {listing.strip()}")
        rows = list(csv.DictReader(listing.removeprefix("# ").splitlines()))
        visitors = next(row for row in rows if (row["pxname"], row["svname"]) == ("visitors", "FRONTEND"))
        health = next(row for row in rows if (row["pxname"], row["svname"]) == ("health", "BACKEND"))
        dev_servers = [row for row in rows if row["svname"] == "session"]

        def visits(column: str) -> int:
            return int(visitors[column]) - int(health[column])

        dev_server_errors = sum(int(row["hrsp_5xx"]) for row in dev_servers)
        return Traffic(
            requests=visits("req_tot"),
            client_errors=visits("hrsp_4xx"),
            server_errors=visits("hrsp_5xx") - dev_server_errors,
            dev_server_errors=dev_server_errors,
            open_streams=sum(int(row["scur"]) for row in dev_servers),
        )

    async def time_since_visits(self) -> dict[str, timedelta]:
        """Return how long ago each session was last visited, for those visited within VISITS_REMEMBERED.

        Raises:
            RuntimeApiError: HAProxy did not respond.
        """
        listing = await self._ask("show table visits")
        if not listing.startswith("# table: visits,"):
            raise RuntimeApiError(f"show table visits: {listing.strip()}")
        return {
            session_id: VISITS_REMEMBERED - timedelta(milliseconds=int(milliseconds_left))
            for session_id, milliseconds_left in _VISIT.findall(listing)
        }

    async def _close(self, which: re.Pattern[str]) -> int:
        streams = _streams(which, await self._ask("show sess all"))
        for first in range(0, len(streams), _ORDERS_A_LINE):
            orders = [f"shutdown session {stream}" for stream in streams[first : first + _ORDERS_A_LINE]]
            await self._order("; ".join(orders), also_fine="No such session (use 'show sess').")
        return len(streams)

    async def _order(self, command: str, *, also_fine: str = "") -> None:
        answers = set((await self._ask(command)).splitlines()) - {"", also_fine}
        if answers:
            raise RuntimeApiError(f"{_named(command)}: {' '.join(sorted(answers))}")

    async def _ask(self, command: str) -> str:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                reader, writer = await asyncio.open_unix_connection(_SOCKET)
                try:
                    writer.write(f"{command}\n".encode())
                    return (await reader.read()).decode(errors="replace")
                finally:
                    writer.close()
        except OSError as error:  # TimeoutError is one
            raise RuntimeApiError(f"{_named(command)}: no answer on {_SOCKET}: {error!r}") from error


def _named(command: str) -> str:
    """Return a command without the value it sets, which may be a visitor's cookie."""
    return " ".join(command.split(" ")[:4])


def _streams(which: re.Pattern[str], listing: str) -> list[str]:
    _, *parts = _STREAM.split(listing)
    return [stream for stream, text in zip(parts[::2], parts[1::2], strict=True) if which.search(text)]
