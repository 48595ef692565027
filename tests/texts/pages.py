"""What visitors see in place of a dev server."""

from __future__ import annotations

import html
import re
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_proxy import pages
from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.page_renderer import PageRenderer
from cloud_agent_proxy.probe import Finding
from cloud_agent_proxy.session import PreviewState, Session
from cloud_agent_proxy.sign_in import pages as sign_in
from cloud_agent_proxy.sign_in.results import Cause, Failed

if TYPE_CHECKING:
    from cloud_agent_proxy.pages import Page

PAGES = PageRenderer(Path(__file__).parents[2] / "proxy/pages")
SESSION = {"id": "09e22a8b", "pull_number": 43, "pull_url": "https://github.com/acme/shop/pull/43", "port": 3000}
REFUSED = (400, 405, 408, 413, 414, 431)


def page_texts() -> dict[str, str]:
    """Return each page's text."""
    shown = {
        "Just requested": pages.about(_session(status="QUEUED", pull_number=None, pull_url="", port=None)),
        "Queued": pages.about(_session(status="QUEUED", initial_sha="1f2e3d", port=None)),
        "Starting": pages.about(_session(status="STARTING", initial_sha="1f2e3d", start_token="made-up", port=None)),
        "Not responding, checking": pages.not_responding(_session()),
        **{f"Not responding: {finding.name}": pages.not_responding(_session(), finding) for finding in Finding},
        **{
            f"Not responding: preview {state}": pages.not_responding(
                _session(preview={"state": state, "detail": "`npm ci` ended with status 1."}), Finding.REFUSED
            )
            for state in PreviewState
        },
        "Live": pages.responding(_session()),
        **{status.capitalize(): pages.about(_session(status=status, end_reason="…why…")) for status in _ENDED},
        "Unknown session": pages.unknown_session(),
        "Unknown path": pages.unknown_path(),
        "Another host": pages.foreign_host(),
        "Signed out, access by link": access_pages.signed_out(),
        "Signed out, access by GitHub": access_pages.sign_in_needed(),
        "Expired link": access_pages.link_expired(),
        "Another session's request": access_pages.other_session(),
        "No access": access_pages.forbidden("octo-dev", "/.uat/sign-in?return_to=%2F"),
        "GitHub away": access_pages.github_not_responding(),
        "Too many requests": access_pages.too_many_requests(10),
        "Access unchecked": access_pages.access_unchecked(),
        "Sessions unavailable": pages.table_unavailable("09e22a8b"),
        **{f"Sign-in: {cause}": sign_in.failed(Failed(cause), "09e22a8b") for cause in Cause},
        **{
            f"Sign-in, to write: {cause}": sign_in.failed_on_sign_in_host(Failed(cause, "/sessions/09e22a8b"))
            for cause in (Cause.EXPIRED, Cause.DENIED)
        },
        **{f"Refused: {status}": pages.refused(HTTPStatus(status)) for status in REFUSED},
    }
    texts = {name: _text(page) for name, page in shown.items()}
    texts["Not responding, to a form that was sent"] = _text(pages.not_responding(_session()), repeatable=False)
    return texts


_ENDED = ("COMPLETED", "STOPPED", "FAILED")


def _session(**members: object) -> Session:
    return Session.model_validate(SESSION | {"status": "RUNNING"} | members)


def _text(page: Page, *, repeatable: bool = True) -> str:
    """Return the page as a text browser shows it."""
    rendered = PAGES.html(page, repeatable=repeatable)
    body = rendered.body.decode().partition("<body>")[2].partition("<footer>")[0]
    body = re.sub(r"<script>.*?</script>|<[^>]* hidden>.*?</\w+>", "", body, flags=re.DOTALL)
    body = body.replace("<h1", "### <h1").replace("<li", "- <li").replace("</p>", "\n")
    lines = (" ".join(html.unescape(re.sub(r"<[^>]+>", "", line)).split()) for line in body.splitlines())
    return f"HTTP {rendered.status}\n\n" + "\n".join(line for line in lines if line)
