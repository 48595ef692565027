"""The form of a page: one template for people, JSON for programs."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_proxy.pages import Page

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
"""What every page of ours is sent with."""


@dataclass(frozen=True)
class RenderedPage:
    """A page ready to be sent."""

    status: int
    phrase: str
    headers: dict[str, str]
    body: bytes

    def as_http(self) -> bytes:
        """Return the whole response, as HAProxy reads its error files."""
        headers = {**self.headers, "Content-Length": str(len(self.body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} {self.phrase}\r\n{head}\r\n".encode() + self.body


class PageRenderer:
    """Renders pages with the template, the style and the script of one folder."""

    def __init__(self, folder: Path) -> None:
        self._template = templates_in(folder).get_template("page.html.jinja")
        self._style = (folder / "page.css").read_text()
        self._script = (folder / "returns.js").read_text() + (folder / "page.js").read_text()
        policy = f"form-action 'none'; style-src {inline_source(self._style)}"
        self._headers = html_headers(policy)
        self._watched_headers = html_headers(f"{policy}; script-src {inline_source(self._script)}; connect-src 'self'")

    def html(self, page: Page, *, repeatable: bool = True) -> RenderedPage:
        """Return the page as HTML that loads nothing and can be framed by nobody.

        A watched page asks for its own address again as soon as the session is live; not so unless it is
        `repeatable`, for it may answer what must not be sent twice.
        """
        body = self._template.render(page=page, repeatable=repeatable, style=self._style, script=self._script)
        return rendered_page(page, self._watched_headers if page.watched else self._headers, body)

    def json(self, page: Page) -> RenderedPage:
        """Return the page as a JSON object; its names are the same for every page."""
        fields = {
            "error": page.error or None,
            "session_id": page.session_id or None,
            "status": page.session_status or None,
            "title": page.title,
            "message": page.message,
            "what_to_do": page.what_to_do or None,
            "reason": page.reason or None,
            "steps": [asdict(step) for step in page.steps],
            "hop": page.hop or None,
            "log": page.log or None,
            "pull_request": page.pull_request or None,
            "live": page.live,
            "retry_after_seconds": page.retry_after_seconds,
        }
        return rendered_page(page, HEADERS | {"Content-Type": "application/json"}, json.dumps(fields))


def html_headers(policy: str) -> dict[str, str]:
    """Return the headers of a page that loads nothing but what `policy` adds, which nobody can frame."""
    return HEADERS | {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"default-src 'none'; base-uri 'none'; frame-ancestors 'none'; {policy}",
    }


def sign_in_host_headers(style: str, *, form_action: str) -> dict[str, str]:
    """Return the headers of a page on the sign-in host: it has no script, and windows that it opens don't see it."""
    policy = f"form-action {form_action}; style-src {inline_source(style)}"
    return html_headers(policy) | {"Cross-Origin-Opener-Policy": "same-origin"}


def templates_in(folder: Path) -> Environment:
    """Return the templates of a folder, which escape what they are given and fail over a name that is missing."""
    return Environment(
        loader=FileSystemLoader(folder), autoescape=select_autoescape(["jinja"]), undefined=StrictUndefined
    )


def inline_source(inline: str) -> str:
    """Name an inline style or script in a Content-Security-Policy by its hash: nothing but it may stand there."""
    return f"'sha256-{b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def rendered_page(page: Page, headers: dict[str, str], body: str) -> RenderedPage:
    """Return the body with the status of `page`, and when to ask again if that helps."""
    headers = headers | {"Vary": "Accept"}
    if page.retry_after_seconds:
        headers["Retry-After"] = str(page.retry_after_seconds)
    return RenderedPage(page.status.value, page.status.phrase, headers, body.encode(errors="replace"))
