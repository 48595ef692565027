"""The event stream in which Amazon Bedrock sends what a model streams ("Amazon Transcribe: Event stream encoding")."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEADERS = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
_STRING = 7


def event_stream(events: Iterable[dict[str, Any]]) -> bytes:
    """Return the events of the Messages API as InvokeModelWithResponseStream sends them."""
    return b"".join(_frame(event) for event in events)


def _frame(event: dict[str, Any]) -> bytes:
    payload = json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode()
    headers = b"".join(_header(name, value) for name, value in _HEADERS.items())
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", binascii.crc32(message))


def _header(name: str, value: str) -> bytes:
    return struct.pack(f">B{len(name)}sBH", len(name), name.encode(), _STRING, len(value)) + value.encode()
