"""Answers, as a page and as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from markupsafe import escape

from cloud_agent_proxy import pages
from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.page_renderer import PageRenderer
from cloud_agent_proxy.probe import Finding
from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.session import Preview, PreviewState, Session, SessionStatus

if TYPE_CHECKING:
    from cloud_agent_proxy.pages import Page

PAGES = PageRenderer(ASSETS / "pages")
PAGES_SCRIPT = (ASSETS / "pages/page.js").read_text()
REFUSALS = (400, 405, 408, 413, 414, 431)
NAMES = {
    *("error", "session_id", "status", "title", "message", "what_to_do", "reason"),
    *("steps", "hop", "log", "pull_request", "live", "retry_after_seconds"),
}


def ended(**fields: str) -> Page:
    return pages.about(Session(id="09e22a8b", status=SessionStatus.STOPPED, **fields))


RUNNING = Session(id="09e22a8b", status=SessionStatus.RUNNING, port=3000)
FOR_EVERY_SESSION = [pages.not_responding(), *(pages.refused(HTTPStatus(status)) for status in REFUSALS)]
PREVIEWS = [
    RUNNING.model_copy(update={"preview": Preview(state=state, detail="`npm ci` ended with status 1")})
    for state in PreviewState
]
FORBIDDEN = access_pages.forbidden("octocat", "/.uat/sign-in?return_to=%2F")
EVERY_PAGE = [
    *FOR_EVERY_SESSION,
    *(pages.about(Session(id="09e22a8b", status=status)) for status in SessionStatus),
    pages.about(Session(id="09e22a8b", status=SessionStatus.QUEUED, pull_number=7)),
    *(pages.not_responding(RUNNING, finding) for finding in Finding),
    *(pages.not_responding(session, Finding.REFUSED) for session in PREVIEWS),
    pages.responding(RUNNING),
    pages.unknown_session(),
    pages.unknown_path(),
    pages.foreign_host(),
    access_pages.signed_out(),
    access_pages.link_expired(),
    access_pages.other_session(),
    access_pages.access_unchecked(),
    FORBIDDEN,
    access_pages.github_not_responding(),
    access_pages.too_many_requests(10),
    pages.table_unavailable("09e22a8b"),
]


@pytest.mark.parametrize("page", FOR_EVERY_SESSION, ids=lambda page: page.title)
def test_an_error_file_fits_haproxys_buffer_and_says_its_own_length(page: Page) -> None:
    for rendered in (PAGES.html(page), PAGES.html(page, repeatable=False), PAGES.json(page)):
        head, _, body = rendered.as_http().partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {rendered.status} ".encode())
        assert f"Content-Length: {len(body)}".encode() in head
        assert len(head) + len(body) < 14_000


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: page.title)
def test_a_page_that_says_it_keeps_watch_does(page: Page) -> None:
    body = PAGES.html(page).body.decode()
    assert page.watched == ("This page" in page.what_to_do)
    assert page.watched == ("<script>" in body)
    assert page.watched == ('<noscript><meta http-equiv="refresh"' in body)
    assert not page.watched or page.retry_after_seconds
    assert bool(page.retry_after_seconds) == ("Retry-After" in PAGES.json(page).headers)


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: page.title)
def test_what_was_sent_is_not_sent_again_by_the_page(page: Page) -> None:
    body = PAGES.html(page, repeatable=False).body.decode()
    assert "refresh" not in body.replace(PAGES_SCRIPT, "")
    assert 'data-repeatable="yes"' not in body


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: page.title)
def test_every_page_has_words_for_a_person_and_the_same_names_for_a_program(page: Page) -> None:
    fields = json.loads(PAGES.json(page).body)
    assert set(fields) == NAMES
    assert f'<h1 id="title">{escape(page.title)}</h1>' in PAGES.html(page).body.decode()
    assert page.title
    assert page.message.endswith(".")
    assert page.live == (page.error == "")


@pytest.mark.parametrize("page", [access_pages.signed_out(), access_pages.link_expired(), FORBIDDEN])
def test_who_may_not_see_a_session_learns_nothing_about_one(page: Page) -> None:
    assert (
        page.session_id,
        page.session_status,
        page.steps,
        page.log,
        page.pull_request,
    ) == ("", "", (), "", "")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://[", "https://"])
def test_only_a_web_address_becomes_a_link(url: str) -> None:
    page = ended(pull_url=url)
    assert page.pull_request == ""
    assert re.findall(r" href=\"(.*?)\"", PAGES.html(page).body.decode()) == ["/.uat/"]


def test_a_reason_cannot_bring_markup_or_flood_the_page() -> None:
    body = PAGES.html(ended(end_reason="<script>alert(1)</script>" + "x" * 100_000)).body.decode()
    assert "<script>" not in body
    assert len(body) < 14_000


def test_a_log_cannot_bring_markup_or_flood_the_page() -> None:
    log = "x" * 100_000 + "</pre><script>alert(1)</script>"
    for state in PreviewState:
        session = RUNNING.model_copy(update={"preview": Preview(state=state, detail=log, log=log)})
        page = pages.not_responding(session, Finding.REFUSED)
        body = PAGES.html(page).body.decode()
        assert "<script>alert" not in body
        assert "&lt;script&gt;alert" in body
        assert len(body) < 20_000


def test_the_policy_allows_exactly_the_style_and_the_script_of_the_page() -> None:
    rendered = PAGES.html(pages.not_responding())
    policy = rendered.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    for kind in ("style", "script"):
        (inline,) = re.findall(rf"<{kind}>(.*?)</{kind}>".encode(), rendered.body, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert b" style=" not in rendered.body
    assert b" src=" not in rendered.body


def test_a_page_without_a_script_allows_none() -> None:
    policy = PAGES.html(access_pages.signed_out()).headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "connect-src" not in policy


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    digits = colour * 2 if len(colour) == 3 else colour
    channels = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, "sheet") for text in ("ink", "soft", "accent", "bad")),
        *(("sheet", ground) for ground in ("accent", "good", "bad")),
        ("ink", "well"),
    ],
)
def test_text_can_be_read_in_both_schemes(scheme: int, text: str, ground: str) -> None:
    style = (ASSETS / "pages/page.css").read_text()
    colours = dict(re.findall(r"--(\w+): #([0-9a-f]{3,6})", re.findall(r":root \{(.*?)\}", style)[scheme]))
    light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2 AA, text of any size


def test_json_says_null_for_what_is_not_known() -> None:
    fields = json.loads(PAGES.json(pages.unknown_session()).body)
    assert (fields["session_id"], fields["pull_request"], fields["retry_after_seconds"]) == (None, None, None)
