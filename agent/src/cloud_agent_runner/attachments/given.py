"""What Claude is given of the files that a prompt names, and what is said of the others."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_NAMED = 5  # files that people are told of by name
_UNKNOWN = "Files are attached to the request that couldn't be fetched. If you need them, say so in your summary."
_MISSING = "Of the files that are attached to the request, these aren't here. If you need one, say so in your summary."


@dataclass(frozen=True)
class Image:
    """An image by its address in a text; `place` says which text that is."""

    url: str
    place: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Missing:
    """A file that Claude isn't given, by its address; `reason` is the end of a sentence."""

    url: str
    reason: str


@dataclass(frozen=True)
class Given:
    """The images, and the files that are missing. There's none of either where it's `unknown` which there are."""

    images: tuple[Image, ...] = ()
    missing: tuple[Missing, ...] = ()
    unknown: bool = False

    @property
    def for_people(self) -> str:
        """A sentence about what's missing; empty where nothing is."""
        if self.unknown:
            return "(Claude hasn't seen the attached files: they couldn't be looked up on GitHub.)"
        if not self.missing:
            return ""
        listed = "; ".join(f"[{_name(one.url)}]({one.url}) {one.reason}" for one in self.missing[:_NAMED])
        if more := len(self.missing[_NAMED:]):
            listed += f"; and {more} more"
        return f"(Claude hasn't seen {_files(len(self.missing))}: {listed}.)"

    def before(self, request: str) -> str:
        """Return the request with what Claude has to know about what's missing."""
        if self.unknown:
            return f"{_UNKNOWN}\n\n{request}"
        if not self.missing:
            return request
        mark = f"missing-{secrets.token_hex(8)}"
        listed = "\n".join(f"{one.url} {one.reason}" for one in self.missing)
        return f"{_MISSING}\n\n<{mark}>\n{listed}\n</{mark}>\n\n{request}"


async def messages(request: str, images: tuple[Image, ...]) -> AsyncIterator[dict[str, Any]]:
    """Yield the one message of a request that has images. They come first ("Claude API: Vision"), each by its name."""
    content: list[dict[str, Any]] = []
    for number, image in enumerate(images, 1):
        data = base64.b64encode(image.content).decode()
        content += [
            _text(f"Image {number}, {image.url} in {image.place}, as untrusted as the text there:"),
            {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": data}},
        ]
    message = {"role": "user", "content": [*content, _text(request)]}
    yield {"type": "user", "message": message, "parent_tool_use_id": None}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _files(count: int) -> str:
    return "an attached file" if count == 1 else f"{count} attached files"
