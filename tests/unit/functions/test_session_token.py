"""The agent's bearer token."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.sessions import a_session

from cloud_agent.domain.session.session_token import opens, session_id_of

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

# As the state "Prepare Session" makes it: the session's id and two UUIDs.
TOKEN = "09e22a8b.6f0c1d6e-8f0b-4d5e-9a77-0c6f1c1f9b52-5b1f7a0e-2f4c-4d3b-8a34-9d0c7f6b1e20"


def _session(token: str) -> Session:
    return a_session(session_id=token[:8], token_hash=hashlib.sha256(token.encode()).hexdigest())


def test_the_own_token_names_and_opens_its_session() -> None:
    assert session_id_of(f"Bearer {TOKEN}") == "09e22a8b"
    assert opens(f"Bearer {TOKEN}", _session(TOKEN))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        TOKEN,
        f"bearer {TOKEN}",
        f"Basic {TOKEN}",
        f"Bearer  {TOKEN}",
        f"Bearer {TOKEN}\n",
        f" Bearer {TOKEN}",
        f"Bearer {TOKEN.upper()}",
        "Bearer 09e22a8b.short",
        "Bearer 09e22a8b." + "x" * 129,
        "Bearer 09e22a8b",
        f"Bearer {TOKEN}ü",
    ],
)
def test_what_has_not_the_form_of_a_token_names_no_session(authorization: str | None) -> None:
    assert session_id_of(authorization) is None
    assert not opens(authorization or "", _session(TOKEN))


@given(secret=st.from_regex(r"[A-Za-z0-9-]{16,128}", fullmatch=True))
def test_no_other_secret_opens_the_session(secret: str) -> None:
    token = f"09e22a8b.{secret}"
    assert session_id_of(f"Bearer {token}") == "09e22a8b"
    assert (token == TOKEN) == opens(f"Bearer {token}", _session(TOKEN))


def test_the_rows_hash_is_no_token() -> None:
    assert not opens(f"Bearer 09e22a8b.{_session(TOKEN).token_hash}", _session(TOKEN))
