"""Which address HAProxy sends each session's visitors to."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address

    from cloud_agent_proxy.runtime_api import RuntimeApi
    from cloud_agent_proxy.session import Address

logger = logging.getLogger(__name__)


class Routes:
    """The map inside HAProxy, which leads to a container by the name of one session only.

    A changed route takes its open connections with it. Two sessions that are said to have one IP address cannot
    both have it: the row of one is out of date, and which one cannot be known here. So neither is routed until
    one of them lets go.
    """

    def __init__(self, haproxy: RuntimeApi) -> None:
        self._haproxy = haproxy
        self._claims: dict[str, Address] = {}
        self._claimants: defaultdict[IPv4Address, set[str]] = defaultdict(set)
        self._addresses: dict[str, Address] = {}
        """What HAProxy was told, and what may still be connected."""
        self._half_withdrawn: set[str] = set()
        """Sessions no longer in HAProxy's map whose connections may still be open."""
        self._unsettled: set[str] = set()
        """Sessions whose route may differ from what their claims allow."""

    def address_of(self, session_id: str) -> Address | None:
        """Return where the session's visitors are sent at this moment."""
        return self._addresses.get(session_id)

    def __len__(self) -> int:
        """Return how many sessions have a route."""
        return len(self._addresses)

    async def visited(self) -> set[str]:
        """Return the sessions that were visited within the last minute.

        Raises:
            RuntimeApiError: HAProxy did not respond.
        """
        return set(await self._haproxy.time_since_visits())

    async def withdraw_unless_busy(self, session_ids: Iterable[str]) -> set[str]:
        """Send the visitors of these sessions nowhere, and close nothing: return those whose address is in use.

        A busy session keeps its route. HAProxy is asked what is open once nothing new can be opened, so no
        connection outlives its route. Whoever comes meanwhile is sent to the control plane. When it raises, every
        route is still on record and the call can be made again.

        Raises:
            RuntimeApiError: HAProxy did not take the change.
        """
        unused = set(session_ids)
        routed = {id_: self._addresses[id_] for id_ in unused if id_ in self._addresses}
        busy: set[str] = set()
        if routed:
            for session_id in routed:
                await self._haproxy.unmap_session(session_id)
            in_use = await self._haproxy.addresses_in_use()
            busy = {session_id for session_id, address in routed.items() if str(address) in in_use}
            for session_id in busy:
                await self._haproxy.map_session(session_id, routed[session_id].route)
        for session_id in unused - busy:
            self._addresses.pop(session_id, None)
            self._claim(session_id, None)
        await self._settle()
        return busy

    async def assign(self, session_id: str, address: Address | None) -> None:
        """Send the session's visitors to `address`, if no other session claims it, or nowhere.

        Every request and WebSocket at a former address is closed before a new one is given out: an
        address may belong to another session's container tomorrow. When it raises, the routes that could not be
        changed are still on record and the call can be made again.

        Raises:
            RuntimeApiError: HAProxy did not take the change.
        """
        self._claim(session_id, address)
        await self._settle()

    async def _settle(self) -> None:
        """Bring every route in line with the claims: first what is to go, then what is to come."""
        for unsettled in sorted(self._unsettled):
            if unsettled in self._half_withdrawn or self._allowed(unsettled) != self._addresses.get(unsettled):
                await self._withdraw(unsettled)
        for unsettled in sorted(self._unsettled):
            await self._give(unsettled)
            self._unsettled.discard(unsettled)

    def _claim(self, session_id: str, address: Address | None) -> None:
        former = self._claims.pop(session_id, None)
        self._unsettled.add(session_id)
        if former is not None:
            self._claimants[former.ip].discard(session_id)
            self._unsettled |= self._claimants[former.ip]
            if not self._claimants[former.ip]:
                del self._claimants[former.ip]
        if address is not None:
            self._claims[session_id] = address
            self._claimants[address.ip].add(session_id)
            self._unsettled |= self._claimants[address.ip]
            if len(self._claimants[address.ip]) > 1:
                logger.error(
                    "address claimed by several sessions, none is routed to it",
                    extra={"address": str(address.ip), "sessions": sorted(self._claimants[address.ip])},
                )

    def _allowed(self, session_id: str) -> Address | None:
        claim = self._claims.get(session_id)
        return claim if claim and len(self._claimants[claim.ip]) == 1 else None

    async def _withdraw(self, session_id: str) -> None:
        former = self._addresses.get(session_id)
        if former is None:
            return
        await self._haproxy.unmap_session(session_id)
        self._half_withdrawn.add(session_id)
        closed = await self._haproxy.close_streams_to(str(former))
        del self._addresses[session_id]
        self._half_withdrawn.discard(session_id)
        logger.info(
            "route withdrawn",
            extra={"session_id": session_id, "address": former.route, "connections_closed": closed},
        )

    async def _give(self, session_id: str) -> None:
        address = self._allowed(session_id)
        if address is None or session_id in self._addresses:
            return
        await self._haproxy.map_session(session_id, address.route)
        self._addresses[session_id] = address
        logger.info("route assigned", extra={"session_id": session_id, "address": address.route})
