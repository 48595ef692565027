"""Attached files are found in a prompt by the addresses that GitHub has given them over the years."""

from __future__ import annotations

import pytest

from cloud_agent.domain.conversation.attachments import (
    LISTED_LIMIT,
    Attachment,
    attachments_of,
    signed_addresses,
)
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind, Remark

UUID = "0a1b2c3d-1111-2222-3333-0123456789ab"
ISSUE = "https://github.com/acme/storefront/issues/42"
IMAGE = f"https://github.com/user-attachments/assets/{UUID}"
SIGNED = f"https://private-user-images.githubusercontent.com/1/9-{UUID}.png"


def _prompt(body: str, **members: object) -> Prompt:
    prompt = {"id": "0" * 26, "kind": PromptKind.ISSUE, "body": body, "author": "pat", "url": ISSUE, "created_at": ""}
    return Prompt.model_validate(prompt | members)


@pytest.mark.parametrize(
    ("text", "url", "uuid"),
    [
        (f"![]({IMAGE})", IMAGE, UUID),
        (f'<img src="{IMAGE}">', IMAGE, UUID),
        (f"See {IMAGE}.", IMAGE, UUID),
        (f"<{IMAGE}>", IMAGE, UUID),
        (f"![]({IMAGE.upper().replace('HTTPS', 'https')})", IMAGE.upper().replace("HTTPS", "https"), UUID),
        (
            f"![](https://github.com/acme/web/assets/57384023/{UUID})",
            f"https://github.com/acme/web/assets/57384023/{UUID}",
            UUID,
        ),
        (f"![]({SIGNED}?jwt=e30.e30.x)", f"{SIGNED}?jwt=e30.e30.x", UUID),
        (
            f"![](https://user-images.githubusercontent.com/1/9-{UUID}.png)",
            f"https://user-images.githubusercontent.com/1/9-{UUID}.png",
            "",
        ),
        (
            "[log.txt](https://github.com/user-attachments/files/17/log.txt)",
            "https://github.com/user-attachments/files/17/log.txt",
            "",
        ),
        ("[a](https://github.com/acme/web/files/17/a.zip)", "https://github.com/acme/web/files/17/a.zip", ""),
    ],
)
def test_an_attachment_is_found_however_it_stands_in_the_text(text: str, url: str, uuid: str) -> None:
    (found,) = attachments_of(_prompt(text))
    assert (found, found.uuid) == (Attachment(url, ISSUE), uuid)


@pytest.mark.parametrize(
    "text",
    [
        "No image.",
        f"{UUID}",
        "![](https://example.com/logo.png)",
        "https://github.com/acme/web/pull/3/files",
        "https://github.com/acme/web/blob/main/files/3/a",
        "https://[oops/user-attachments/assets/1",
        f"https://github.com/acme/web/commit/{UUID}",
    ],
)
def test_other_addresses_are_no_attachments(text: str) -> None:
    assert attachments_of(_prompt(text)) == ()


def test_each_is_listed_once_with_the_text_that_it_was_first_in() -> None:
    other, comment = IMAGE.replace("0a1b", "ffff"), f"{ISSUE}#issuecomment-7"
    remark = Remark(author="zoe", created_at="", url=comment, body=f"![]({IMAGE}) ![]({other})")
    found = attachments_of(_prompt(f"![]({IMAGE}) again {IMAGE}", discussion=[remark]))
    assert found == (Attachment(IMAGE, ISSUE), Attachment(other, comment))
    many = " ".join(IMAGE.replace("0a1b", f"{number:04x}") for number in range(LISTED_LIMIT + 1))
    assert len(attachments_of(_prompt(many))) == LISTED_LIMIT


@pytest.mark.parametrize("kind", [PromptKind.REVIEW, PromptKind.REVIEW_COMMENT])
def test_those_of_a_reviews_comments_stand_in_the_review(kind: PromptKind) -> None:
    url = "https://github.com/acme/storefront/pull/43#discussion_r5"
    (found,) = attachments_of(_prompt(IMAGE, kind=kind, url=url, review_id=9))
    assert found.source == "https://github.com/acme/storefront/pull/43#pullrequestreview-9"


def test_signed_addresses_are_those_of_the_html_with_a_signature() -> None:
    html = (
        f'<a href="{SIGNED}?jwt=a&amp;x=1"><img src="{SIGNED}?jwt=a&amp;x=1" alt="{IMAGE}"></a>'
        f'<img src="{SIGNED.replace("0a1b", "ffff")}"><img src="https://camo.githubusercontent.com/{UUID}">'
    )
    assert signed_addresses(html) == {UUID: f"{SIGNED}?jwt=a&x=1"}


def test_an_attachment_is_fetched_from_its_signed_address_unless_it_is_public() -> None:
    signed = {UUID: f"{SIGNED}?jwt=a"}
    public = f"https://user-images.githubusercontent.com/1/9-{UUID}.png"
    log = "https://github.com/user-attachments/files/17/log.txt"
    addresses = [Attachment(url, ISSUE).fetched_from(signed) for url in (IMAGE, public, log)]
    assert addresses == [f"{SIGNED}?jwt=a", public, None]
    assert Attachment(IMAGE, ISSUE).fetched_from({}) is None
