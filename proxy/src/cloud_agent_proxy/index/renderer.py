"""The index as HTML, in the style of the session's page and without a script."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from cloud_agent_proxy.page_renderer import HEADERS, RenderedPage, inline_source, templates_in
from cloud_agent_proxy.pages import web_link
from cloud_agent_proxy.session_page.times import day_and_clock

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_proxy.index.view import IndexView


class IndexRenderer:
    """Renders with the template of one folder, and the style of the session's page."""

    def __init__(self, folder: Path) -> None:
        environment = templates_in(folder)
        environment.filters |= {"web": web_link, "moment": day_and_clock}
        self._template = environment.get_template("index.html.jinja")
        self._style = (folder / "page.css").read_text() + (folder / "index.css").read_text()
        self._headers = HEADERS | {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors 'none'; style-src {inline_source(self._style)}",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    def page(self, view: IndexView) -> RenderedPage:
        """Return the page for one visitor."""
        body = self._template.render(view=view, style=self._style)
        return RenderedPage(HTTPStatus.OK, HTTPStatus.OK.phrase, self._headers, body.encode(errors="replace"))
