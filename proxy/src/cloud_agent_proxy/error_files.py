"""The pages that HAProxy serves by itself, as files that it reads as it starts."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_proxy import pages
from cloud_agent_proxy.access import pages as access_pages

if TYPE_CHECKING:
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.pages import Page

_REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_URI_TOO_LONG,
)
_COUNTED_OVER_SECONDS = 10  # by haproxy.cfg, in its tables `askers` and `demands`
_IN_BOTH_FORMS = {
    "access_unchecked": access_pages.access_unchecked(),
    "not_responding": pages.not_responding(),
    "not_looked_up": pages.table_unavailable(session_id=""),
    "other_session": access_pages.other_session(),
    "too_many_requests": access_pages.too_many_requests(_COUNTED_OVER_SECONDS),
}


def write_error_files(renderer: PageRenderer, signed_out: Page) -> None:
    """Write every file that haproxy.cfg names as an `errorfile` into the working directory.

    Refusals are pages only: HAProxy gives most of them before it could know what the visitor accepts.

    Args:
        renderer: Gives each its form.
        signed_out: The page of one without access.

    Raises:
        OSError: a file could not be written.
    """
    for status in _REFUSALS:
        rendered = renderer.html(pages.refused(status))
        # Who sends such a request may not agree with us about where it ends: nothing after it is read.
        closing = replace(rendered, headers=rendered.headers | {"Connection": "close"})
        Path(f"refused.{status.value}.http").write_bytes(closing.as_http())
    for name, page in {**_IN_BOTH_FORMS, "signed_out": signed_out}.items():
        Path(f"{name}.html.http").write_bytes(renderer.html(page).as_http())
        Path(f"{name}.json.http").write_bytes(renderer.json(page).as_http())
    change = renderer.html(pages.not_responding(), repeatable=False)
    Path("not_responding_change.html.http").write_bytes(change.as_http())
