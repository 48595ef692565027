"""The state of a sign-in, and the nonce that binds it to a browser."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import jwt
import pytest

from cloud_agent_proxy.sign_in.state import (
    State,
    StateRefusedError,
    challenge_of,
    nonce_of,
    read_state,
    return_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, NEW, FOREIGN = "old-" * 8, "new-" * 8, "not-" * 8
STATE = State("09e22a8b", "/path?a=1", challenge_of("n" * 43))


def _encoded(key: str = OLD, algorithm: str = "HS256", audience: str = "uat-sign-in", *, has_end: bool = True) -> str:
    """A state of a minute's life, but for what is wrong with it."""
    end = {"exp": int(time.time()) + 60} if has_end else {}
    claims = {"aud": audience, "sub": "09e22a8b", "return_to": "/", "challenge": "c", **end}
    return jwt.encode(claims, key, algorithm)


@pytest.mark.parametrize("accepted", [(OLD,), (OLD, NEW), (NEW, OLD)])
def test_a_state_is_read_with_any_accepted_key(accepted: tuple[str, ...]) -> None:
    assert read_state(STATE.signed([OLD], time.time()), accepted) == STATE


def test_the_first_key_signs() -> None:
    assert read_state(STATE.signed([NEW, OLD], time.time()), [NEW]) == STATE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: "no.state.this", id="garbage"),
        pytest.param(lambda: STATE.signed([FOREIGN], time.time()), id="foreign key"),
        pytest.param(lambda: STATE.signed([OLD], time.time() - 601), id="old"),
        pytest.param(lambda: _encoded(audience="uat-entry"), id="another token of ours"),
        pytest.param(lambda: _encoded("", "none"), id="unsigned"),
        pytest.param(lambda: _encoded(OLD * 2, "HS512"), id="another algorithm"),
        pytest.param(lambda: _encoded(has_end=False), id="for ever"),
    ],
)
def test_no_other_text_is_a_state(text: Callable[[], str]) -> None:
    assert read_state(_encoded(), [OLD]).session_id == "09e22a8b"
    with pytest.raises(StateRefusedError):
        read_state(text(), [OLD, OLD * 2])


def test_a_state_of_a_proxy_whose_clock_is_ahead_is_good() -> None:
    assert read_state(STATE.signed([OLD], time.time() + 30), [OLD]) == STATE


def test_a_state_is_good_for_ten_minutes() -> None:
    assert read_state(STATE.signed([OLD], time.time() - 590), [OLD]) == STATE


def test_only_the_nonce_answers() -> None:
    assert STATE.is_answered_by("n" * 43)
    assert not STATE.is_answered_by("m" * 43)
    assert not STATE.is_answered_by("")
    assert not STATE.is_answered_by("é")


def test_a_browser_keeps_its_nonce_and_gets_one_if_it_has_none() -> None:
    new = nonce_of("")
    assert len(new) == 43
    assert new == nonce_of(new)
    assert new != nonce_of("")
    for unusable in ("x", new + "x", new[:-1] + ";", new[:-1] + "\n"):
        assert unusable != nonce_of(unusable)


def test_the_challenge_is_that_of_rfc_7636() -> None:
    """Appendix B of the RFC."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("path", ["/", "/a/b?c=d&e=%2F", "/.uatx", "/a?next=//evil.example", "/" + "x" * 1_999])
def test_a_path_of_this_host_is_returned_to(path: str) -> None:
    assert path == return_path(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "/a\r\nSet-Cookie: x=y",
        "/a\tb",
        "/a b",
        "/é",
        "/.uat/enter?token=x",
        "/" + "x" * 2_000,
    ],
)
def test_nothing_else_is(text: str) -> None:
    assert return_path(text) == "/"
