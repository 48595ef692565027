"""`cloud-agent transcript`: what happened in a session, as JSON Lines."""

from __future__ import annotations

import json
import uuid
from enum import StrEnum
from heapq import merge
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cloud_agent_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_agent_cli.targets import Target

    Event = dict[str, Any]

_STREAMS = ("workflow", "agent")
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of URLs, RFC 9562


class Form(StrEnum):
    """How a transcript is printed."""

    JSONL = "jsonl"
    CLAUDE_CODE = "claude-code"


class TranscriptError(CommandError):
    """There is no such transcript, or it can't be read."""


def lines(target: Target, session_id: str, form: Form) -> Iterator[str]:
    """Yield the transcript's lines, the oldest first.

    Raises:
        TranscriptError: nothing is kept of this session, or AWS didn't let it be read.
    """
    events = merge(*(_stream(target, session_id, name) for name in _STREAMS), key=lambda event: str(event["at"]))
    found = False
    try:
        for one in events if form is Form.JSONL else claude_code(session_id, events):
            found = True
            yield json.dumps(one, ensure_ascii=False)
    except (BotoCoreError, ClientError) as error:
        raise TranscriptError(f"The transcript of session {session_id} can't be read: {error}") from error
    if not found:
        raise TranscriptError(f"No transcript of session {session_id} is kept by the stack {target.stack}.")


def claude_code(session_id: str, events: Iterable[Event]) -> Iterator[Event]:
    """Yield the conversation as Claude Code keeps its own; what else happened has no place there.

    Texts that the transcript cut stay cut.
    """
    parent: str | None = None
    for event in events:
        said = _message(event)
        if said is None:
            continue
        role, block = said
        own = str(uuid.uuid5(_NAMESPACE, f"{session_id}/{event['seq']}"))
        yield {
            "parentUuid": parent,
            "isSidechain": event.get("parent") is not None,
            "userType": "external",
            "sessionId": str(uuid.uuid5(_NAMESPACE, session_id)),
            "type": role,
            "message": {"role": role, "content": [block]},
            "uuid": own,
            "timestamp": event["at"],
        }
        parent = own


def _message(event: Event) -> tuple[str, Event] | None:
    """Return who says the event in a conversation, and its content block; None where nobody does."""
    kind = event["kind"]
    if kind == "prompt":
        prompt = event["prompt"]
        return "user", {"type": "text", "text": "\n\n".join(filter(None, [prompt["title"], prompt["body"]]))}
    if kind == "message":
        return "assistant", {"type": "text", "text": event["text"]}
    if kind == "thinking":
        return "assistant", {"type": "thinking", "thinking": event["text"], "signature": ""}
    if kind == "tool_call":
        return "assistant", {"type": "tool_use", "id": event["id"], "name": event["tool"], "input": event["input"]}
    if kind == "tool_result":
        result = {"type": "tool_result", "tool_use_id": event["id"], "content": event["text"]}
        return "user", result | {"is_error": event["is_error"]}
    return None


def _stream(target: Target, session_id: str, name: str) -> Iterator[Event]:
    """Yield a stream's events: those of each batch that its row counts."""
    table, bucket = (_physical_id(target, resource) for resource in ("SessionsTable", "ArtifactsBucket"))
    key = {"pk": {"S": f"SESSION#{session_id}"}, "sk": {"S": "TRANSCRIPT"}}
    row = target.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    objects = target.client("s3")
    for batch in range(1, int(row.get(f"{name}_batches", {"N": "0"})["N"]) + 1):
        found = objects.get_object(Bucket=bucket, Key=f"transcripts/{session_id}/{name}/{batch:010d}.jsonl")
        yield from map(json.loads, found["Body"].read().decode().removesuffix("\n").split("\n"))


def _physical_id(target: Target, resource: str) -> str:
    described = target.client("cloudformation").describe_stack_resource(
        StackName=target.stack, LogicalResourceId=resource
    )
    return str(described["StackResourceDetail"]["PhysicalResourceId"])
