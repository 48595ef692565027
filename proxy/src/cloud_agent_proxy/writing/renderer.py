"""The page to write on: a form without a script."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from cloud_agent_proxy.page_renderer import RenderedPage, sign_in_host_headers, templates_in
from cloud_agent_proxy.pages import web_link

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_proxy.session import Session


class WritingRenderer:
    """Renders with the template of one folder, and the style of the session's page."""

    def __init__(self, folder: Path) -> None:
        environment = templates_in(folder)
        environment.filters["web"] = web_link
        self._template = environment.get_template("write.html.jinja")
        self._style = (folder / "page.css").read_text() + (folder / "write.css").read_text()
        self._headers = sign_in_host_headers(self._style, form_action="'self'") | {
            "Referrer-Policy": "same-origin",  # "no-referrer" would make browsers hide the form's origin
        }

    def page(  # noqa: PLR0913 - what the page shows, once each
        self,
        *,
        session: Session,
        session_url: str,
        login: str,
        may_write: bool,
        token: str,
        sent: bool,
        problem: str,
        text: str,
    ) -> RenderedPage:
        """Return the page for one writer, with what they have written so far and what became of it."""
        body = self._template.render(
            session=session,
            session_url=session_url,
            login=login,
            may_write=may_write,
            token=token,
            sent=sent,
            problem=problem,
            text=text,
            style=self._style,
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return RenderedPage(status, status.phrase, self._headers, body.encode(errors="replace"))
