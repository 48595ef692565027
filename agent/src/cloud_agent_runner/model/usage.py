"""Reading what a call used, and what the model said, out of its response, while the response passes by.

Three forms come: server-sent events, the event stream of Amazon Bedrock around the same events, and one JSON document.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloud_agent_runner.model.response_text import ResponseText

logger = logging.getLogger(__name__)

Event = Mapping[str, Any]
_CHARACTERS_PER_TOKEN = 4
# The usual context window. Images make a request long without making it dear.
_LARGEST_ESTIMATE_TOKENS = 200_000
_DELTA_TEXTS = ("text", "partial_json", "thinking")


@dataclass(frozen=True)
class Tokens:
    """The tokens of one pass over a prompt, and the model that responded, where it says so."""

    input: int = 0
    output: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    model: str | None = None

    @property
    def prompt(self) -> int:
        """All tokens that were read, from a cache or not."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read


@dataclass(frozen=True)
class Usage:
    """What a call used: mostly one pass; with compaction on the server or an advisor, several."""

    passes: tuple[Tokens, ...] = ()
    web_searches: int = 0
    in_the_us: bool = False

    def with_output(self, tokens: int) -> Usage:
        """Return what it is once the last pass has had this many tokens of output, if it hasn't had more."""
        *earlier, last = self.passes
        return replace(self, passes=(*earlier, replace(last, output=max(tokens, last.output))))


def estimated_usage(request_bytes: int, output_tokens: int = 0) -> Usage:
    """Return a guess for a call of which only the request is known, and the most tokens that it may have written."""
    prompt = min(request_bytes // _CHARACTERS_PER_TOKEN + 1, _LARGEST_ESTIMATE_TOKENS)
    return Usage((Tokens(input=prompt, output=output_tokens),))


class UsageReader:
    """Reads one response, fed as it arrives. A response that can't be read is logged, and never an exception.

    `text` is what the model said in it so far. `has_ended` says that there's no more to come: the API counted to the
    end, or gave up for a reason of its own.
    """

    def __init__(self, content_type: str) -> None:
        self.text = ResponseText()
        self._decode = _decoder(content_type)
        self._usage: dict[str, Any] = {}
        self._characters = 0
        self._is_complete = False
        self.has_ended = False

    def feed(self, data: bytes) -> None:
        """Take the response's next bytes."""
        try:
            for event in self._decode(data):
                self._observe(event)
                self.text.observe(event)
        except Exception:
            logger.exception("usage not readable")
            self._decode = _nothing

    @property
    def usage(self) -> Usage | None:
        """What is known so far, the output estimated while it is still being written; None before it has begun."""
        if not self._usage:
            return None
        used = self._usage
        if not self._is_complete:
            written = self._characters // _CHARACTERS_PER_TOKEN
            used = {**used, "output_tokens": max(_count(used, "output_tokens"), written)}
        return _usage(used)

    def _observe(self, event: Event) -> None:
        kind = event.get("type")
        if kind in ("message_start", "message"):  # a whole response is the message itself
            message = event["message"] if kind == "message_start" else event
            self._usage = {"model": message.get("model"), **message["usage"]}
            self._is_complete = self.has_ended = kind == "message"
        elif kind == "content_block_delta":
            self._characters += sum(len(event["delta"].get(name) or "") for name in _DELTA_TEXTS)
        elif kind == "message_delta":
            # Cumulative, and not everything of the beginning is repeated.
            self._usage |= {name: value for name, value in event.get("usage", {}).items() if value is not None}
            self._is_complete = self.has_ended = True
        elif kind == "error":
            self.has_ended = True


def _usage(document: Mapping[str, Any]) -> Usage:
    # Totals leave out what compaction and advisors used: where passes are listed, only their sum is what is charged.
    passes = document.get("iterations") or [document]
    searches = _count(document.get("server_tool_use") or {}, "web_search_requests")
    tokens = tuple(_tokens({"model": document.get("model"), **each}) for each in passes)
    return Usage(tokens, searches, in_the_us=document.get("inference_geo") == "us")


def _tokens(document: Mapping[str, Any]) -> Tokens:
    writes = _count(document, "cache_creation_input_tokens")
    for_an_hour = min(_count(document.get("cache_creation") or {}, "ephemeral_1h_input_tokens"), writes)
    return Tokens(
        input=_count(document, "input_tokens"),
        output=_count(document, "output_tokens"),
        cache_write_5m=writes - for_an_hour,
        cache_write_1h=for_an_hour,
        cache_read=_count(document, "cache_read_input_tokens"),
        model=document.get("model"),
    )


def _count(document: Mapping[str, Any], name: str) -> int:
    return int(document.get(name) or 0)


def _decoder(content_type: str) -> Callable[[bytes], Iterator[Event]]:
    if content_type.startswith("text/event-stream"):
        return _ServerSentEvents().feed
    if content_type.startswith("application/vnd.amazon.eventstream"):
        return _BedrockEvents().feed
    return _Document().feed


def _nothing(_data: bytes) -> Iterator[Event]:
    return iter(())


class _ServerSentEvents:
    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Event]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])


class _BedrockEvents:
    def __init__(self) -> None:
        # Here, because it takes a third of a second and 37 MB, which only a deployment on Bedrock should pay.
        from botocore.eventstream import EventStreamBuffer  # noqa: PLC0415

        self._frames = EventStreamBuffer()

    def feed(self, data: bytes) -> Iterator[Event]:
        self._frames.add_data(data)
        for frame in self._frames:
            message = frame.to_response_dict()
            if message["headers"].get(":message-type") in ("exception", "error"):
                yield {"type": "error"}
            elif message["headers"].get(":event-type") == "chunk":
                yield json.loads(base64.b64decode(json.loads(message["body"])["bytes"]))


class _Document:
    def __init__(self) -> None:
        self._text = b""

    def feed(self, data: bytes) -> Iterator[Event]:
        self._text += data
        if self._text.rstrip().endswith(b"}"):
            try:
                yield json.loads(self._text)
            except ValueError:
                return  # an inner brace: the document goes on
