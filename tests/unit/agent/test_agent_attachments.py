"""Attached images are fetched from GitHub's storage alone, and known for images by what they begin with."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.agent_api_messages import Prompt, Remark
from cloud_agent_runner.attachments.attachments import IMAGES_LIMIT, Attachments
from cloud_agent_runner.attachments.download import GITHUB_IMAGES, LIMIT_BYTES, LIMIT_PIXELS, Downloads, NotFetchedError
from cloud_agent_runner.attachments.given import Given, Image, Missing, messages
from cloud_agent_runner.image_type import ImageType, image_type

if TYPE_CHECKING:
    from collections.abc import Callable

GITHUB = "https://github.com"
SIGNED = f"{GITHUB_IMAGES[0]}/1/2-x.png?jwt=a.b.c"
UUID = "0a1b2c3d-1111-2222-3333-0123456789ab"
RIFF = b"RIFF\x20\0\0\0WEBP"


def _png(width: int = 3, height: int = 2) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (_png(), "image/png"),
        (b"GIF89a\3\0\2\0\0\0\0", "image/gif"),
        (b"GIF87a\3\0\2\0\0\0\0", "image/gif"),
        (b"\xff\xd8\xff\xe0\0\4ab\xff\xff\xc2\0\x11\x08\0\2\0\3\3", "image/jpeg"),
        (RIFF + b"VP8X\x0a\0\0\0" + b"\0\0\0\0\2\0\0\1\0\0", "image/webp"),
        (RIFF + b"VP8L\x0a\0\0\0" + b"\x2f\x02\x40\0\0\0\0\0\0\0", "image/webp"),
        (RIFF + b"VP8 \x0a\0\0\0" + b"\0\0\0\x9d\x01\x2a\3\0\2\0", "image/webp"),
    ],
)
def test_an_image_is_known_by_its_beginning(content: bytes, media_type: str) -> None:
    assert image_type(content) == ImageType(media_type, 3, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"\0\0\0\x18ftypmp42",
        _png()[:20],
        b"BM" + b"\0" * 40,
        b"\xff\xd8\xff\xda\0\4ab",
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff" + b"\xff" * 50,
        RIFF + b"VP8?",
    ],
)
def test_nothing_else_is_an_image(content: bytes) -> None:
    assert image_type(content) is None


def _fetch(address: str, respond: Callable[[httpx.Request], httpx.Response], github: str = GITHUB) -> tuple[str, bytes]:
    async def fetch() -> tuple[str, bytes]:
        return await Downloads((*GITHUB_IMAGES, github), httpx.MockTransport(respond)).image(address)

    return asyncio.run(fetch())


def _with(content: bytes = _png(), status: int = 200, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(content), headers=headers)


@pytest.mark.parametrize(
    ("address", "github"),
    [
        (SIGNED, GITHUB),
        (f"{GITHUB_IMAGES[1]}/1/2-x.png", GITHUB),
        ("http://localhost:4580/private-user-images/1/2-x.png?jwt=a", "http://localhost:4580"),
        ("https://github.example.com/storage/x", "https://github.example.com"),
    ],
)
def test_images_come_from_githubs_storage_whatever_they_are_called(address: str, github: str) -> None:
    assert _fetch(address, _with(_png(), content_type="image/svg+xml"), github) == ("image/png", _png())


@pytest.mark.parametrize(
    "address",
    [
        SIGNED.replace("https", "http"),
        SIGNED.replace(".com", ".com.example.com"),
        SIGNED.replace(".com", ".com:8443"),
        SIGNED.replace("https://", "https://user:secret@"),
        SIGNED.replace("https://private", "https://example.com\\@private"),
        "https://169.254.170.2/v2/credentials",
        "http://127.0.0.1/",
        "file:///etc/passwd",
        "https://[oops",
        "",
    ],
)
def test_no_other_address_is_connected_to(address: str) -> None:
    def respond(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("connected")

    with pytest.raises(NotFetchedError, match="isn't kept by GitHub"):
        _fetch(address, respond)


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (_with(b"<svg/>", content_type="image/png"), "isn't a PNG, JPEG, GIF or WebP image"),
        (_with(_png(LIMIT_PIXELS + 1, 1)), "is larger than 8,000 pixels"),
        (_with(_png(1, LIMIT_PIXELS + 1)), "is larger than 8,000 pixels"),
        (_with(_png() + b"\0" * LIMIT_BYTES), "is larger than 5 MB"),
        (_with(status=404), "couldn't be fetched (HTTP 404)"),
        (_with(status=302, location=SIGNED), "couldn't be fetched (HTTP 302)"),
    ],
)
def test_what_the_model_could_not_take_is_not_returned(
    respond: Callable[[httpx.Request], httpx.Response], reason: str
) -> None:
    with pytest.raises(NotFetchedError) as refused:
        _fetch(SIGNED, respond)
    assert str(refused.value) == reason


def test_a_connection_that_fails_is_a_reason_too() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no answer", request=request)

    with pytest.raises(NotFetchedError, match=r"couldn't be fetched \(ConnectTimeout\)"):
        _fetch(SIGNED, respond)


def _given(files: list[dict[str, Any]] | int, prompt: Prompt) -> Given:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/agent/attachments":
            return _with()(request)
        return httpx.Response(files) if isinstance(files, int) else httpx.Response(200, json={"attachments": files})

    async def fetch() -> Given:
        transport = httpx.MockTransport(respond)
        api = AgentApi("https://api.example", SecretStr("s"), SecretStr("t"), transport=transport)
        return await Attachments(api, GITHUB, transport).of(prompt)

    return asyncio.run(fetch())


def test_as_many_images_are_fetched_as_a_turn_may_have_and_the_others_are_mentioned() -> None:
    url = f"{GITHUB}/user-attachments/assets"
    remark = Remark(author="zoe", created_at="2026-11-22T08:00:00Z", url="comment", body="")
    prompt = Prompt(id="0", kind="issue", url="issue", has_attachments=True, discussion=[remark])
    files: list[dict[str, Any]] = [
        {"url": f"{url}/{n}", "source": "issue", "signed_url": SIGNED} for n in range(IMAGES_LIMIT + 1)
    ]
    files[1]["source"] = "comment"
    files[2]["signed_url"] = None
    given = _given(files, prompt)
    assert [one.url for one in given.images] == [f"{url}/{n}" for n in range(IMAGES_LIMIT) if n != 2]
    assert [one.place for one in given.images[:2]] == ["the request", "the comment of zoe, 2026-11-22T08:00:00Z"]
    assert given.missing == (
        Missing(f"{url}/2", "isn't shown by GitHub"),
        Missing(f"{url}/10", "is beyond the first 10"),
    )
    assert given.for_people == (
        f"(Claude hasn't seen 2 attached files: [2]({url}/2) isn't shown by GitHub; "
        f"[10]({url}/10) is beyond the first 10.)"
    )


def test_of_many_missing_files_people_read_the_first_few() -> None:
    given = Given(missing=tuple(Missing(f"https://x/{number}", "isn't an image") for number in range(7)))
    assert given.for_people.startswith("(Claude hasn't seen 7 attached files: [0](https://x/0) isn't an image; [1]")
    assert given.for_people.endswith("; [4](https://x/4) isn't an image; and 2 more.)")
    assert "https://x/6 isn't an image" in given.before("Do it.")


def test_a_prompt_without_attachments_asks_nobody() -> None:
    assert _given(500, Prompt(id="0", kind="issue")) == Given()
    assert Given().before("Do it.") == "Do it."


def test_attachments_that_nobody_can_look_up_are_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_agent_runner.agent_api._ATTACHMENTS_PATIENCE_SECONDS", 0)
    given = _given(503, Prompt(id="0", kind="issue", has_attachments=True))
    assert given.for_people == "(Claude hasn't seen the attached files: they couldn't be looked up on GitHub.)"
    assert given.before("Do it.").startswith("Files are attached to the request that couldn't be fetched.")
    assert given.before("Do it.").endswith("\n\nDo it.")


def test_images_stand_before_the_request_each_by_its_name_and_place() -> None:
    async def message() -> dict[str, Any]:
        return await anext(messages("Do it.", (Image("https://x/1", "the request", "image/png", b"png"),)))

    assert asyncio.run(message())["message"]["content"] == [
        {"type": "text", "text": "Image 1, https://x/1 in the request, as untrusted as the text there:"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"}},
        {"type": "text", "text": "Do it."},
    ]
