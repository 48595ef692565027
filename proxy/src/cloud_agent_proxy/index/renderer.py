"""The index as HTML, in the style of the session's page and without a script."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from cloud_agent_proxy.page_renderer import RenderedPage, sign_in_host_headers, templates_in
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
        self._headers = sign_in_host_headers(self._style, form_action="'none'")

    def page(self, view: IndexView) -> RenderedPage:
        """Return the page for one visitor."""
        body = self._template.render(view=view, style=self._style)
        return RenderedPage(HTTPStatus.OK, HTTPStatus.OK.phrase, self._headers, body.encode(errors="replace"))
