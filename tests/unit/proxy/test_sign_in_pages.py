"""What a visitor is told whose sign-in led nowhere."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

import pytest

from cloud_agent_proxy.page_renderer import PageRenderer
from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.sign_in import pages
from cloud_agent_proxy.sign_in.results import Cause, Failed, Refused

if TYPE_CHECKING:
    from cloud_agent_proxy.pages import Page

PAGES = PageRenderer(ASSETS / "pages")
RETURN_TO = '/a?b=<">'


def test_the_refused_are_told_who_they_are() -> None:
    page = pages.refused(Refused("mona", "/"))
    assert (page.status, page.error) == (403, "forbidden")
    assert b"as mona" in PAGES.html(page).body
    assert "as mona" in json.loads(PAGES.json(page).body)["message"]


@pytest.mark.parametrize(
    "page", [pages.refused(Refused("mona", RETURN_TO)), pages.failed(Failed(Cause.DENIED, RETURN_TO), "09e22a8b")]
)
def test_who_is_not_let_in_as_one_account_can_sign_in_with_another_and_goes_on_where_they_were(page: Page) -> None:
    link = '<a class="action" href="/.uat/sign-in?return_to=%2Fa%3Fb%3D%3C%22%3E">Sign in with another account</a>'
    assert link in PAGES.html(page).body.decode()


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.DENIED])
def test_who_is_not_let_in_for_another_cause_is_not_told_to_change_the_account(cause: Cause) -> None:
    assert b"another account" not in PAGES.html(pages.failed(Failed(cause), "09e22a8b")).body


@pytest.mark.parametrize(
    ("cause", "status", "error"),
    [
        (Cause.EXPIRED, 400, "sign_in_expired"),
        (Cause.DENIED, 403, "sign_in_denied"),
        (Cause.GITHUB_AWAY, 503, "github_not_responding"),
        (Cause.SESSIONS_AWAY, 503, "sessions_unavailable"),
        (Cause.MISCONFIGURED, 500, "sign_in_misconfigured"),
        (Cause.NOT_CONFIGURED, 500, "sign_in_not_configured"),
    ],
)
def test_every_failure_has_words_of_its_own(cause: Cause, status: int, error: str) -> None:
    page = pages.failed(Failed(cause), "09e22a8b")
    rendered = PAGES.html(page)
    assert (status, error) == (rendered.status, json.loads(PAGES.json(page).body)["error"])
    assert page.title in html.unescape(rendered.body.decode())
    assert not page.watched  # its address, with a code that is good once, is not to be loaded again
    assert (status == 503) == ("Retry-After" in rendered.headers)


def test_on_the_sign_in_host_another_account_signs_in_there() -> None:
    page = pages.failed_on_sign_in_host(Failed(Cause.DENIED, "/sessions/09e22a8b"))
    link = '<a class="action" href="/sessions/09e22a8b?account">Sign in with another account</a>'
    assert link in PAGES.html(page).body.decode()
    assert "session's address" not in pages.failed_on_sign_in_host(Failed(Cause.EXPIRED)).what_to_do


def test_every_cause_is_worded() -> None:
    assert len(Cause) == len({pages.failed(Failed(cause), "09e22a8b").title for cause in Cause})
