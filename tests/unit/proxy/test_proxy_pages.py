"""Answers, as a page and as JSON."""

import base64
import hashlib
import json
import re

import pytest

from cloud_agent_proxy import answers
from cloud_agent_proxy.answers import Answer
from cloud_agent_proxy.pages import Pages
from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.session import Session, SessionStatus

PAGES = Pages(ASSETS / "pages")


def ended(**fields: str) -> Answer:
    return answers.about(Session(id="09e22a8b", status=SessionStatus.STOPPED, **fields))


EVERY_ANSWER = [
    *(answers.about(Session(id="09e22a8b", status=status)) for status in SessionStatus),
    answers.unknown_session(),
    answers.foreign_host(),
    answers.not_answering(),
    answers.unknown_path(),
    answers.signed_out(),
    answers.link_no_longer_good(),
    answers.other_session(),
    answers.access_unchecked(),
    answers.table_unavailable("09e22a8b"),
]


@pytest.mark.parametrize("answer", EVERY_ANSWER, ids=lambda answer: answer.title)
def test_an_error_file_fits_haproxys_buffer_and_says_its_own_length(answer: Answer) -> None:
    for page in (PAGES.html(answer), PAGES.json(answer)):
        head, _, body = page.as_http().partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {answer.status.value} ".encode())
        assert f"Content-Length: {len(body)}".encode() in head
        assert len(head) + len(body) < 14_000


@pytest.mark.parametrize("answer", EVERY_ANSWER, ids=lambda answer: answer.title)
def test_a_page_that_says_it_tries_again_does(answer: Answer) -> None:
    body = PAGES.html(answer).body.decode()
    assert ("by itself" in answer.what_to_do) == ('http-equiv="refresh"' in body)
    assert ("by itself" in answer.what_to_do) == ("Retry-After" in PAGES.json(answer).headers)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://[", "https://"])
def test_only_a_web_address_becomes_a_link(url: str) -> None:
    answer = ended(pull_url=url)
    assert "" == answer.pull_request
    assert "<a " not in PAGES.html(answer).body.decode()


def test_a_reason_cannot_bring_markup_or_flood_the_page() -> None:
    body = PAGES.html(ended(end_reason="<script>alert(1)</script>" + "x" * 100_000)).body.decode()
    assert "<script>" not in body
    assert len(body) < 14_000


def test_the_policy_allows_exactly_the_style_of_the_page() -> None:
    page = PAGES.html(answers.unknown_session())
    (style,) = re.findall(rb"<style>(.*)</style>", page.body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in page.headers["Content-Security-Policy"]


def test_json_says_null_for_what_is_not_known() -> None:
    fields = json.loads(PAGES.json(answers.unknown_session()).body)
    assert (None, None, None) == (fields["session_id"], fields["pull_request"], fields["retry_after_seconds"])
