"""`/repositories/<id>/…`: where GitHub's redirects of renamed repositories lead.

GitHub documents no such address, but sends clients there ("Preview repository redirects" in its developer blog; public
issues quote the headers). It is the repository's own, under whatever name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from anyio import to_thread

from local_github.rest import PREFIX

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from local_github.site import Site

_NUMBERED = re.compile(rf"{PREFIX}/repositories/(\d{{1,18}})(?=/|$)")


class NumberedAddresses:
    """Serves each of them as the address with the repository's present name."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, renamed where it names a repository by its number."""
        if scope["type"] == "http" and (numbered := _NUMBERED.match(scope["path"])):
            sql = "SELECT owner, name FROM repositories WHERE id = ?"
            if row := await to_thread.run_sync(self._site.storage.one, sql, int(numbered[1])):
                path = f"{PREFIX}/repos/{row['owner']}/{row['name']}{scope['path'][numbered.end() :]}"
                scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
