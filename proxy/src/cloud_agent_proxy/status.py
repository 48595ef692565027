"""What `/.uat/status` returns of a session: what a page that waits for it shows, as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_proxy import pages
from cloud_agent_proxy.probe import Finding, Probe
from cloud_agent_proxy.session import SessionStatus
from cloud_agent_proxy.sessions_table import TableUnavailableError

if TYPE_CHECKING:
    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.pages import Page
    from cloud_agent_proxy.routes import Routes


class Status:
    """Shows how a session is going; of one that runs, whether its dev server responds at this moment."""

    def __init__(self, directory: SessionDirectory, routes: Routes, probe: Probe) -> None:
        self._directory = directory
        self._routes = routes
        self._probe = probe

    async def page(self, session_id: str) -> Page:
        """Return the page, for one who may see the session."""
        try:
            session = await self._directory.look_up(session_id)
        except TableUnavailableError:
            return pages.table_unavailable(session_id)
        if session is None or session.status is not SessionStatus.RUNNING:
            return pages.about(session)
        # Only where HAProxy sends visitors is tried: such an address has passed every check there is.
        address = self._routes.address_of(session_id)
        finding = await self._probe.try_out(address) if address else Finding.NO_ADDRESS
        return pages.responding(session) if finding is Finding.RESPONDS else pages.not_responding(session, finding)
