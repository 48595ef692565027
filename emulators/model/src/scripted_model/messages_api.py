"""The Anthropic Messages API over HTTP, streamed and not."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from scripted_model.conversation import last_prompt
from scripted_model.plans import ToolCall, next_step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_CHARACTERS_PER_TOKEN = 4
_PIECE_CHARACTERS = 48


def application() -> Starlette:
    """Return the server's routes."""
    return Starlette(
        routes=[
            Route("/v1/messages", _messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", _count_tokens, methods=["POST"]),
            Route("/", _here, methods=["GET", "HEAD"]),
        ]
    )


async def _here(_request: Request) -> Response:
    return JSONResponse({"name": "scripted model"})


async def _count_tokens(request: Request) -> Response:
    return JSONResponse({"input_tokens": _tokens(len(await request.body()))})


async def _messages(request: Request) -> Response:
    raw = await request.body()
    try:
        call = json.loads(raw)
        prompt, results = last_prompt(call["messages"])
    except (ValueError, KeyError, TypeError):
        return _error(400, "The body must be a request of the Messages API.")
    if prompt.failure is not None:
        return _error(prompt.failure, "This call fails because its prompt says so.", {"x-should-retry": "false"})
    if call.get("tools"):
        step = next_step(prompt, results)
        blocks = _blocks(step) if isinstance(step, ToolCall) else [{"type": "text", "text": step.text}]
    else:
        blocks = [{"type": "text", "text": prompt.title or "Scripted session"}]
    message = _message(str(call.get("model", "scripted")), blocks, _tokens(len(raw)))
    if not call.get("stream"):
        return JSONResponse(message)
    return StreamingResponse(_events(message, prompt.thinking_seconds), media_type="text/event-stream")


def _blocks(step: ToolCall) -> list[dict[str, Any]]:
    use = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:24]}", "name": step.name, "input": step.arguments}
    return [{"type": "text", "text": step.text}, use]


def _message(model: str, blocks: list[dict[str, Any]], input_tokens: int) -> dict[str, Any]:
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks,
        "stop_reason": "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": input_tokens,
            "output_tokens": _tokens(len(json.dumps(blocks))),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


async def _events(message: dict[str, Any], thinking_seconds: float) -> AsyncIterator[str]:
    """Yield a message as the server-sent events that the real API would send."""
    opening = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield _event("message_start", message=opening)
    await asyncio.sleep(thinking_seconds)
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            yield _event("content_block_start", index=index, content_block={"type": "text", "text": ""})
            deltas = ({"type": "text_delta", "text": piece} for piece in _pieces(block["text"]))
        else:
            yield _event("content_block_start", index=index, content_block={**block, "input": {}})
            arguments = json.dumps(block["input"])
            deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in _pieces(arguments))
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=ending, usage={"output_tokens": message["usage"]["output_tokens"]})
    yield _event("message_stop")


def _event(kind: str, **fields: object) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE_CHARACTERS):
        yield text[start : start + _PIECE_CHARACTERS]


def _tokens(characters: int) -> int:
    return characters // _CHARACTERS_PER_TOKEN + 1


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    kind = _ERROR_TYPES.get(status, "api_error")
    return JSONResponse({"type": "error", "error": {"type": kind, "message": message}}, status, headers)
