"""Mode `public`: whoever reaches the proxy may see every session whose address they know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.access.gate import Grant

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOREVER = 2**31 - 1


class PublicGate:
    """Asks for nothing, and leaves no cookie."""

    signed_out = access_pages.signed_out()  # nobody is

    async def admit(self, session_id: str, cookies: Mapping[str, str]) -> Grant | None:  # noqa: ARG002 - the gate's form
        """Admit everybody."""
        return Grant("", _FOREVER)

    async def enter(self, session_id: str, token: str) -> tuple[str, ...] | None:  # noqa: ARG002 - the gate's form
        """Let everybody pass: links from before the mode was changed still lead to their sessions."""
        return ()
