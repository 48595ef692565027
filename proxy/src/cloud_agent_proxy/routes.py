"""Which address HAProxy sends each session's visitors to."""

import logging
from collections.abc import Iterable

from cloud_agent_proxy.runtime_api import RuntimeApi
from cloud_agent_proxy.session import Address

logger = logging.getLogger(__name__)


class Routes:
    """The map inside HAProxy, and the promise that a changed route takes its open connections with it."""

    def __init__(self, haproxy: RuntimeApi) -> None:
        self._haproxy = haproxy
        self._addresses: dict[str, Address] = {}

    def address_of(self, session_id: str) -> Address | None:
        """Return where the session's visitors are sent at this moment."""
        return self._addresses.get(session_id)

    def __len__(self) -> int:
        """Return how many sessions have a route."""
        return len(self._addresses)

    async def visited(self) -> set[str]:
        """Return the sessions that were visited within the last minute.

        Raises:
            RuntimeApiError: HAProxy did not answer.
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
        routed = {id_: self._addresses[id_] for id_ in session_ids if id_ in self._addresses}
        if not routed:
            return set()
        for session_id in routed:
            await self._haproxy.unmap_session(session_id)
        in_use = await self._haproxy.addresses_in_use()
        busy = {session_id for session_id, address in routed.items() if str(address) in in_use}
        for session_id in busy:
            await self._haproxy.map_session(session_id, str(routed[session_id]))
        for session_id in routed.keys() - busy:
            del self._addresses[session_id]
        return busy

    async def assign(self, session_id: str, address: Address | None) -> None:
        """Send the session's visitors to `address`, or nowhere.

        Every request and WebSocket at its former address is closed before the new one is given out: an
        address may belong to another session's container tomorrow. When it raises, the former route is still on record
        and the call can be made again.

        Raises:
            RuntimeApiError: HAProxy did not take the change.
        """
        former = self._addresses.get(session_id)
        if address == former:
            return
        if former is not None:
            await self._haproxy.unmap_session(session_id)
            closed = await self._haproxy.close_streams_to(str(former))
            del self._addresses[session_id]
            logger.info(
                "route withdrawn",
                extra={"session_id": session_id, "address": str(former), "connections_closed": closed},
            )
        if address is not None:
            await self._haproxy.map_session(session_id, str(address))
            self._addresses[session_id] = address
            logger.info("route assigned", extra={"session_id": session_id, "address": str(address)})
