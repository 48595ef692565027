"""The link that lets a person into one session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from tests.kit.sessions import a_session

from cloud_agent.domain.session.entry_link import entry_link, session_page

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

KEY, OTHER_KEY = "k" * 64, "o" * 64
URL = "https://09e22a8b.uat.example.com"
CREATED_AT = "2026-11-22T07:00:00.123Z"


def session(**changes: Any) -> Session:  # noqa: ANN401 - any attribute of a row
    return a_session(**{"created_at": CREATED_AT, **changes})


def token_of(link: str) -> str:
    (token,) = parse_qs(urlsplit(link).query)["token"]
    return token


def test_the_link_leads_to_the_sessions_own_host() -> None:
    link = urlsplit(entry_link(URL, session(), KEY))
    assert (f"{link.scheme}://{link.netloc}", link.path) == (URL, "/.uat/enter")


def test_the_sessions_own_page_is_reached_by_the_link_too_and_without_one_directly() -> None:
    link = entry_link(URL, session(), KEY)
    assert session_page(URL, link) == f"{link}&return_to=/.uat/"
    assert session_page(URL, None) == f"{URL}/.uat/"


def test_the_token_is_for_entering_this_session_for_seven_days_from_its_creation() -> None:
    token = token_of(entry_link(URL, session(), KEY))
    claims = jwt.decode(token, KEY, ["HS256"], audience="uat-entry", options={"verify_exp": False, "verify_iat": False})
    created_at = 1_795_330_800  # 2026-11-22T07:00:00Z
    assert {"aud": "uat-entry", "sub": "09e22a8b", "iat": created_at, "exp": created_at + 604_800} == claims
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


def test_a_session_has_one_link_whatever_becomes_of_it() -> None:
    first = entry_link(URL, session(), KEY)
    assert first == entry_link(URL, session(status="QUEUED", turns=7, last_visited_at="2026-11-23T00:00:00.000Z"), KEY)
    assert first != entry_link(URL, session(session_id="6020583d"), KEY)
    assert first != entry_link(URL, session(created_at="2026-11-22T07:00:01.000Z"), KEY)


def test_the_token_is_signed_with_the_key_it_was_asked_for() -> None:
    token = token_of(entry_link(URL, session(), KEY))
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, OTHER_KEY, ["HS256"], audience="uat-entry")
