"""The page in HTML, whole and in pieces; every piece is made by the server, for readers without scripts too."""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from markupsafe import Markup

from cloud_agent_proxy.log_text import plain_text
from cloud_agent_proxy.page_renderer import (
    HEADERS,
    RenderedPage,
    html_headers,
    inline_source,
    rendered_page,
    templates_in,
)
from cloud_agent_proxy.pages import web_link
from cloud_agent_proxy.session_page.diffs import read_diff
from cloud_agent_proxy.session_page.markdown import markdown
from cloud_agent_proxy.session_page.times import clock, span_of
from cloud_agent_proxy.session_page.tools import describe_call

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cloud_agent_proxy.session_page.conversation import Entry, Known
    from cloud_agent_proxy.session_page.view import PageView

_PARTS = ("state", "limits", "viewers", "todo", "changes", "services", "logs", "history", "stage")
"""What is beside the conversation, by the ids of the elements."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STATUS_ICONS = {"COMPLETED": "check", "STOPPED": "stop", "FAILED": "alert"}
_SOURCES = {"install": "Install", "dev_server": "Dev server"}


class SessionPageRenderer:
    """Renders with the templates, the style and the scripts of one folder."""

    def __init__(self, folder: Path) -> None:
        environment = templates_in(folder)
        environment.filters |= {
            "call": lambda event, has_diff: describe_call(event, has_diff=has_diff),
            "clock": clock,
            "diff": read_diff,
            "entry": lambda entry: Markup(self.entry(entry)),  # noqa: S704 - of our own template
            "markdown": markdown,
            "plain": plain_text,
            "sha256": lambda text: _SHA256.fullmatch(text) is not None,
            "source": lambda source: _SOURCES.get(source, source.removeprefix("service:")),
            "span": span_of,
            "status_icon": lambda status: _STATUS_ICONS.get(status, "dot"),
            "web": web_link,
        }
        self._page = environment.get_template("page.html.jinja")
        self._entry = environment.get_template("entry.html.jinja")
        self._parts = environment.get_template("parts.html.jinja")
        self._style = (folder / "page.css").read_text()
        self._views_script = (folder / "views.js").read_text()
        self._script = (folder.parent / "returns.js").read_text() + (folder / "page.js").read_text()
        self._headers = html_headers(
            "form-action 'none'; frame-src 'self'; img-src 'self'; connect-src 'self'; "
            f"style-src {inline_source(self._style)}; "
            f"script-src {inline_source(self._views_script)} {inline_source(self._script)}"
        )

    def page(  # noqa: PLR0913 - what the page says, once each
        self,
        view: PageView,
        entries: Sequence[Entry],
        *,
        known: Known,
        earlier: int | None,
        dropped: bool,
        page_before: bool,
        notice: str,
        opens_preview: bool = False,
        return_to: str = "",
    ) -> RenderedPage:
        """Return the page with these entries.

        Args:
            view: What is beside them.
            entries: The part of the conversation to show.
            known: The last events that the page has.
            earlier: Before which number there are earlier entries, None if there are none.
            dropped: Whether the conversation's beginning is in the transcript alone.
            page_before: Whether these are not the latest entries.
            notice: What doesn't work at the moment.
            opens_preview: Whether it stands in the preview's place until there is one: with the status of that.
            return_to: Where on this host it opens the preview then, if it isn't at that address itself.
        """
        parts = self.parts(view)
        body = self._page.render(
            view=view,
            parts=parts,
            keys={element: part_key(html) for element, html in parts.items()},
            entries=entries,
            known=known,
            is_blank=all(entry.is_status for entry in entries),
            earlier=earlier,
            dropped=dropped,
            page_before=page_before,
            notice=notice,
            opens_preview=opens_preview,
            return_to=return_to,
            style=self._style,
            views_script=self._views_script,
            script=self._script,
        )
        if opens_preview and not return_to and view.instead:
            return rendered_page(view.instead, self._headers, body)
        return RenderedPage(HTTPStatus.OK, HTTPStatus.OK.phrase, self._headers, body.encode(errors="replace"))

    def fragment(self, entries: Sequence[Entry], earlier: int | None) -> RenderedPage:
        """Return entries alone, and in a header before which number there are more."""
        headers = {**HEADERS, "Content-Type": "text/html; charset=utf-8", "X-Earlier": str(earlier or "")}
        body = "".join(map(self.entry, entries))
        return RenderedPage(HTTPStatus.OK, HTTPStatus.OK.phrase, headers, body.encode(errors="replace"))

    def entry(self, entry: Entry) -> str:
        """Return one entry of the conversation; the next time, what it was."""
        if not entry.html:
            entry.html = self._entry.render(entries=[entry])
        return entry.html

    def parts(self, view: PageView) -> dict[str, str]:
        """Return all that is beside the conversation, by the ids of the elements."""
        return {element: self._part(view, element) for element in _PARTS}

    def stage(self, view: PageView) -> RenderedPage:
        """Return what stands in the preview's place, alone."""
        headers = {**HEADERS, "Content-Type": "text/html; charset=utf-8"}
        body = self._part(view, "stage").encode(errors="replace")
        return RenderedPage(HTTPStatus.OK, HTTPStatus.OK.phrase, headers, body)

    def _part(self, view: PageView, element: str) -> str:
        return self._parts.render(view=view, part=element, entries=[])


def part_key(html: str) -> str:
    """Return what tells a part from another: an open page replaces no part that it has already."""
    return hashlib.sha256(html.encode(errors="replace")).hexdigest()[:16]
