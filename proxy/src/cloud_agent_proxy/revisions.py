"""How many changes of each session's pages there have been: what an open page asks, to know when to reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent_proxy.runtime_api import RuntimeApi


class Revisions:
    """A map inside HAProxy, which responds from it. A session that isn't in it has pages that aren't to be reloaded."""

    def __init__(self, haproxy: RuntimeApi) -> None:
        self._haproxy = haproxy
        self._told: dict[str, int] = {}

    async def assign(self, session_id: str, revision: int | None) -> None:
        """Have the session's pages know their revision, or none. When it raises, the call can be made again.

        Raises:
            RuntimeApiError: HAProxy did not take the change.
        """
        if revision == self._told.get(session_id):
            return
        if revision is None:
            await self._haproxy.unmap_revision(session_id)
            del self._told[session_id]
        else:
            await self._haproxy.map_revision(session_id, revision)
            self._told[session_id] = revision
