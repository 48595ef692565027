"""The visitor's GitHub token, sealed into a cookie."""

from __future__ import annotations

import base64

import pytest

from cloud_agent_proxy.sign_in.sealing import Renewal, SealBrokenError, unseal

OLD, NEW = "old-" * 8, "new-" * 8
RENEWAL = Renewal("ghu_1234567890", ends_at=1_800_000_000, asked_at=1_700_000_000)


@pytest.mark.parametrize("accepted", [(OLD,), (OLD, NEW), (NEW, OLD)])
def test_what_was_sealed_is_opened_with_any_accepted_key(accepted: tuple[str, ...]) -> None:
    assert unseal(RENEWAL.sealed([OLD], "09e22a8b"), accepted, "09e22a8b") == RENEWAL


def test_the_first_key_seals() -> None:
    assert unseal(RENEWAL.sealed([NEW, OLD], "09e22a8b"), [NEW], "09e22a8b") == RENEWAL


def test_a_seal_does_not_open_for_another_session_or_key() -> None:
    sealed = RENEWAL.sealed([OLD], "09e22a8b")
    for keys, session_id in (([OLD], "09e22a8c"), ([NEW], "09e22a8b"), ([], "09e22a8b")):
        with pytest.raises(SealBrokenError):
            unseal(sealed, keys, session_id)


def test_a_changed_seal_does_not_open() -> None:
    sealed = bytearray(base64.urlsafe_b64decode(RENEWAL.sealed([OLD], "09e22a8b")))
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBrokenError):
            unseal(base64.urlsafe_b64encode(changed).decode(), [OLD], "09e22a8b")


@pytest.mark.parametrize("text", ["", "A", "AAAA", "é", "a b", "*" * 80, "A" * 80])
def test_what_is_no_seal_is_refused(text: str) -> None:
    with pytest.raises(SealBrokenError):
        unseal(text, [OLD], "09e22a8b")


def test_no_two_seals_are_alike_and_none_shows_the_token() -> None:
    one, other = (RENEWAL.sealed([OLD], "09e22a8b") for _ in range(2))
    assert one != other
    assert b"ghu_" not in base64.urlsafe_b64decode(one)
    assert "ghu_" not in repr(RENEWAL)
    assert len(one) < 400  # beside another cookie it is sent with every request
