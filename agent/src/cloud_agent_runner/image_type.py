"""What kind of image some bytes are, and how large, by what they begin with: whatever anybody calls them.

Nothing is decoded here. Claude Code does that, with the repository's rights, and scales images down for the API.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The types that the API takes ("Claude API: Vision"). An SVG is a program for a browser.
_PNG = re.compile(rb"\x89PNG\r\n\x1a\n....IHDR(?P<width>....)(?P<height>....)", re.DOTALL)
_GIF = re.compile(rb"GIF8[79]a(?P<width>..)(?P<height>..)", re.DOTALL)
_WEBP = re.compile(rb"RIFF....WEBP(?P<chunk>VP8[ LX])....(?P<data>.{10})", re.DOTALL)
_JPEG = b"\xff\xd8\xff"
_JPEG_SIZE = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame: ITU-T T.81, table B.1


@dataclass(frozen=True)
class ImageType:
    """A media type, and the image's edges in pixels."""

    media_type: str
    width: int
    height: int


def image_type(content: bytes) -> ImageType | None:
    """Return what this is; None for what isn't a PNG, JPEG, GIF or WebP image, or too broken to say its size."""
    if png := _PNG.match(content):
        return ImageType("image/png", *(int.from_bytes(png[edge]) for edge in ("width", "height")))
    if gif := _GIF.match(content):
        return ImageType("image/gif", *(int.from_bytes(gif[edge], "little") for edge in ("width", "height")))
    if webp := _WEBP.match(content):
        return ImageType("image/webp", *_webp_edges(webp["chunk"], webp["data"]))
    edges = _jpeg_edges(content) if content.startswith(_JPEG) else None
    return ImageType("image/jpeg", *edges) if edges else None


def _webp_edges(chunk: bytes, data: bytes) -> tuple[int, int]:
    """Return width and height: RFC 9649, 2.5 to 2.7."""
    if chunk == b"VP8X":
        return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF


def _jpeg_edges(content: bytes) -> tuple[int, int] | None:
    """Return width and height of the first frame, behind segments that each say how long they are."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - what each marker begins with
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if marker in _JPEG_SIZE:
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 1 if marker == 0xFF else 2 + length  # noqa: PLR2004 - a marker may be filled up with these
    return None
