"""GitHub's signature over the raw body."""

from __future__ import annotations

import pytest

from cloud_agent.domain.errors import InvalidSignatureError
from cloud_agent.webhook.signature import sign, verify

# The example of GitHub's documentation "Validating webhook deliveries".
SECRET, BODY = "It's a Secret to Everybody", b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_githubs_own_example_is_accepted() -> None:
    assert sign(SECRET, BODY) == SIGNATURE
    verify([SECRET], BODY, SIGNATURE)


@pytest.mark.parametrize("body", [b"", b"\xff\x00", "ü 😀".encode(), b"x" * 1_000_000])
def test_the_bytes_are_signed_whatever_they_are(body: bytes) -> None:
    verify([SECRET], body, sign(SECRET, body))


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        SIGNATURE.removeprefix("sha256="),
        SIGNATURE.replace("sha256=", "sha1="),
        SIGNATURE.upper(),
        SIGNATURE + "0",
        SIGNATURE[:-1],
        "sha256=" + "0" * 64,
        "sha256=ü😀",
        "sha256=\udcff",
    ],
)
def test_every_other_signature_is_refused(signature: str | None) -> None:
    with pytest.raises(InvalidSignatureError):
        verify([SECRET], BODY, signature)


def test_another_body_or_secret_is_refused() -> None:
    for secret, body in ((SECRET, BODY + b" "), (SECRET + " ", BODY)):
        with pytest.raises(InvalidSignatureError):
            verify([secret], body, SIGNATURE)


def test_each_of_two_secrets_signs_and_the_second_is_read_only_when_the_first_did_not() -> None:
    secrets = iter([SECRET, "another"])
    verify(secrets, BODY, SIGNATURE)
    assert list(secrets) == ["another"]
    verify(["another", SECRET], BODY, SIGNATURE)


def test_without_a_secret_nobody_can_sign() -> None:
    with pytest.raises(InvalidSignatureError):
        verify(["", SECRET], BODY, sign("", BODY))


def test_a_refusal_shows_neither_the_secret_nor_the_right_signature() -> None:
    with pytest.raises(InvalidSignatureError) as refused:
        verify([SECRET], BODY, "sha256=" + "0" * 64)
    assert SECRET not in str(refused.value)
    assert SIGNATURE.removeprefix("sha256=") not in str(refused.value)
