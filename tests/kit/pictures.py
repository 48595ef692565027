"""Pictures that are as PNG describes them."""

from __future__ import annotations

import struct
import zlib

_FIXED_BYTES = 8 + 25 + 12 + 12 + 12  # the signature, and all chunks but what they hold


def png(width: int, height: int, *, shade: int = 0, size: int | None = None) -> bytes:
    """Return a picture of one shade of gray, of exactly `size` bytes if that's given."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([shade]) * width) * height)
    comment = b"x" * (size - _FIXED_BYTES - len(rows)) if size else b""
    chunks = [_chunk(b"IHDR", header), _chunk(b"teXt", comment), _chunk(b"IDAT", rows), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
