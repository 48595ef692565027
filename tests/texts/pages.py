"""What visitors see in place of a dev server."""

from __future__ import annotations

import html
import re
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_proxy import answers
from cloud_agent_proxy.pages import Pages
from cloud_agent_proxy.probe import Finding
from cloud_agent_proxy.session import Session
from cloud_agent_proxy.sign_in import answers as sign_in
from cloud_agent_proxy.sign_in.results import Cause, Failed

if TYPE_CHECKING:
    from cloud_agent_proxy.answers import Answer

PAGES = Pages(Path(__file__).parents[2] / "proxy/pages")
SESSION = {"id": "09e22a8b", "pull_number": 43, "pull_url": "https://github.com/acme/shop/pull/43", "port": 3000}
REFUSED = (400, 405, 408, 413, 414, 431)


def pages() -> dict[str, str]:
    """Return each page's text."""
    shown = {
        "Queued": answers.about(_session(status="QUEUED", initial_sha="1f2e3d")),
        "Starting": answers.about(_session(status="STARTING", initial_sha="1f2e3d", start_token="made-up")),
        "Not responding, checking": answers.not_answering(_session()),
        **{f"Not responding: {finding.name}": answers.not_answering(_session(), finding) for finding in Finding},
        "Live": answers.answering(_session()),
        **{status.capitalize(): answers.about(_session(status=status, end_reason="…why…")) for status in _ENDED},
        "Unknown session": answers.unknown_session(),
        "Unknown path": answers.unknown_path(),
        "Another host": answers.foreign_host(),
        "Signed out, access by link": answers.signed_out(),
        "Signed out, access by GitHub": answers.sign_in_needed(),
        "Expired link": answers.link_expired(),
        "Another session's request": answers.other_session(),
        "No access": answers.forbidden("octo-dev"),
        "GitHub away": answers.github_not_answering(),
        "Too many requests": answers.too_many_requests(10),
        "Access unchecked": answers.access_unchecked(),
        "Sessions unavailable": answers.table_unavailable("09e22a8b"),
        **{f"Sign-in: {cause}": sign_in.failed(Failed(cause), "09e22a8b") for cause in Cause},
        **{f"Refused: {status}": answers.refused(HTTPStatus(status)) for status in REFUSED},
    }
    texts = {name: _text(answer) for name, answer in shown.items()}
    texts["Not responding, to a form that was sent"] = _text(answers.not_answering(_session()), repeatable=False)
    return texts


_ENDED = ("COMPLETED", "STOPPED", "FAILED")


def _session(**members: object) -> Session:
    return Session.model_validate(SESSION | {"status": "RUNNING"} | members)


def _text(answer: Answer, *, repeatable: bool = True) -> str:
    """Return the page as a text browser shows it."""
    page = PAGES.html(answer, repeatable=repeatable)
    body = page.body.decode().partition("<body>")[2].partition("<footer>")[0]
    body = re.sub(r"<script>.*?</script>|<[^>]* hidden>.*?</\w+>", "", body, flags=re.DOTALL)
    body = body.replace("<h1", "### <h1").replace("<li", "- <li").replace("</p>", "\n")
    lines = (" ".join(html.unescape(re.sub(r"<[^>]+>", "", line)).split()) for line in body.splitlines())
    return f"HTTP {page.status}\n\n" + "\n".join(line for line in lines if line)
