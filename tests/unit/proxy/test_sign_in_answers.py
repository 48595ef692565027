"""What a visitor is told whose sign-in led nowhere."""

from __future__ import annotations

import html
import json

import pytest

from cloud_agent_proxy.pages import Pages
from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.sign_in import answers
from cloud_agent_proxy.sign_in.results import Cause, Failed, Refused

PAGES = Pages(ASSETS / "pages")


def test_the_refused_are_told_who_they_are() -> None:
    answer = answers.refused(Refused("mona"))
    assert (answer.status, answer.error) == (403, "forbidden")
    assert b"as mona" in PAGES.html(answer).body
    assert "as mona" in json.loads(PAGES.json(answer).body)["message"]


@pytest.mark.parametrize(
    ("cause", "status", "error"),
    [
        (Cause.EXPIRED, 400, "sign_in_expired"),
        (Cause.DENIED, 403, "sign_in_denied"),
        (Cause.GITHUB_AWAY, 503, "github_not_answering"),
        (Cause.SESSIONS_AWAY, 503, "sessions_unavailable"),
        (Cause.MISCONFIGURED, 500, "sign_in_misconfigured"),
        (Cause.NOT_CONFIGURED, 500, "sign_in_not_configured"),
    ],
)
def test_every_failure_has_words_of_its_own(cause: Cause, status: int, error: str) -> None:
    answer = answers.failed(Failed(cause), "09e22a8b")
    page = PAGES.html(answer)
    assert (status, error) == (page.status, json.loads(PAGES.json(answer).body)["error"])
    assert answer.title in html.unescape(page.body.decode())
    assert not answer.watched  # its address, with a code that is good once, is not to be loaded again
    assert (status == 503) == ("Retry-After" in page.headers)


def test_every_cause_is_worded() -> None:
    assert len(Cause) == len({answers.failed(Failed(cause), "09e22a8b").title for cause in Cause})
