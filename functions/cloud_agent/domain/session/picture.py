"""Pictures of the preview's pages: what may be kept as one, and how many."""

from __future__ import annotations

import struct
from base64 import b64decode
from typing import Annotated

from pydantic import Field, model_validator

from cloud_agent.domain.session.agent_reports import Report

LIMIT_BYTES = 1_000_000  # of one picture
_BASE64_LIMIT = (LIMIT_BYTES + 2) // 3 * 4
BODY_LIMIT = _BASE64_LIMIT + 100  # characters, with what is around it in JSON
_LONGEST_SIDE = 10_000
_MOST_PIXELS = 16_000_000  # a browser takes four bytes of memory for each
# What one session may keep: together with the requests of S3 it's $0.01.
PICTURES_LIMIT = 1_000
TOTAL_LIMIT_BYTES = 200_000_000
# Signature, and the chunk that is always the first: PNG (third edition), 5.2 and 11.2.1.
_BEGINNING = struct.Struct(">8sI4sII")
_SIGNATURE, _HEADER_BYTES, _HEADER = b"\x89PNG\r\n\x1a\n", 13, b"IHDR"
_END = b"\x00\x00\x00\x00IEND\xae\x42\x60\x82"


class PictureReport(Report):
    """A page of the preview as a picture: a PNG in base64 (RFC 4648, section 4) of at most 1,000,000 bytes."""

    png: Annotated[str, Field(max_length=_BASE64_LIMIT, pattern="^[A-Za-z0-9+/]+={0,2}$")]

    @model_validator(mode="after")
    def _is_a_picture(self) -> PictureReport:
        if not is_picture(self.content):
            raise ValueError("not a PNG, or a larger one than is kept")
        return self

    @property
    def content(self) -> bytes:
        """The picture itself."""
        return b64decode(self.png, validate=True)


def is_picture(content: bytes) -> bool:
    """Return whether this is a PNG of a size that a page can show: what else is in it is for a browser to decode."""
    if len(content) > LIMIT_BYTES or len(content) < _BEGINNING.size or not content.endswith(_END):
        return False
    signature, length, kind, width, height = _BEGINNING.unpack_from(content)
    return (
        (signature, length, kind) == (_SIGNATURE, _HEADER_BYTES, _HEADER)
        and 0 < width <= _LONGEST_SIDE
        and 0 < height <= _LONGEST_SIDE
        and width * height <= _MOST_PIXELS
    )
