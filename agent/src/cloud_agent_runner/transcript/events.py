"""Events as the Agent API accepts them: texts that are too long are cut, and say by how much."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.bounded_text import beginning, both_ends, encodable

if TYPE_CHECKING:
    from collections.abc import Callable

    Event = dict[str, Any]
    Change = Callable[[str], str]

# contracts/limits.json and contracts/transcript.schema.json hold both sides to these.
TEXT_LIMIT = 16_000
BATCH_LIMIT_BYTES = 65_536
EVENTS_LIMIT = 500
EVENT_LIMIT_BYTES = 48_000
PROMPT_MEMBERS = {"id", "kind", "author", "requested_by", "url", "title", "body"}
_NAMES = frozenset({"id", "tool", "parent", "name", "author", "requested_by", "state"})
_NAME_LIMIT, _LINE_LIMIT = 200, 1_000
# What the supervisor chose itself, and readers go by: a secret may happen to be the same word.
_OWN_WORDS = frozenset(
    {"kind", "at", "prompt_id", "cut", "state", "source", "sha", "head_sha", "effort", "model", "before", "after"}
)
_LINES = frozenset({"url", "title", "path", "subject", "detail", "page"})
_INPUT_LIMIT = 4_000  # characters of one argument of a tool
_CUTS_LIMIT = 50
_TIGHTER = (1, 4, 16, 80)  # a text in another script, or of control characters, takes several bytes a character
# Of these the end says as much as the beginning. What nobody could see of a longer text isn't kept until it's sent.
_BOTH_ENDS = frozenset({"tool_result", "log"})
_KEPT_CHARACTERS = 4 * TEXT_LIMIT


def new_event(kind: str, prompt_id: str | None, members: Event) -> Event:
    """Return an event of now. Its texts are encodable, and not longer than what can matter of them."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return _cut({"kind": kind, "at": now, "prompt_id": prompt_id, **members}, lambda *_: _KEPT_CHARACTERS)


def texts_changed(event: Event, change: Change) -> Event:
    """Return the event with each text of it changed that isn't the supervisor's own word."""
    own = _OWN_WORDS if event["kind"] != "todo" else _OWN_WORDS | {"items"}
    found = {name: value if name in own else _changed(value, change) for name, value in event.items()}
    if event["kind"] == "prompt":
        found["prompt"] |= {name: event["prompt"][name] for name in ("id", "kind")}
    if event["kind"] == "todo":
        found["items"] = [{**item, "text": change(item["text"])} for item in event["items"]]
    return found


def _changed(value: Any, change: Change) -> Any:  # noqa: ANN401 - anything that JSON has
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): _changed(member, change) for name, member in value.items()}
    if isinstance(value, list):
        return [_changed(member, change) for member in value]
    return value


def fitting(event: Event) -> Event:
    """Return the event within all limits: `cut` has how many characters were left out of which member."""
    for divisor in _TIGHTER:
        fitted = _cut(event, partial(_limit, divisor))
        if size(fitted) <= EVENT_LIMIT_BYTES and len(fitted.get("cut", ())) <= _CUTS_LIMIT:
            return fitted
    text = f"An event of kind {event['kind']} isn't recorded: it has {size(event)} bytes."  # in thousands of members
    return {"kind": "notice", "at": event["at"], "prompt_id": event["prompt_id"], "text": text}


def size(event: Event) -> int:
    """Return the event's bytes in JSON."""
    return len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())


def _cut(event: Event, limit_of: Callable[[str, str], int]) -> Event:
    """Return the event with texts of at most `limit_of` their path and name, and as JSON has values."""
    cut: dict[str, int] = dict(event.get("cut", {}))
    shortened = both_ends if event["kind"] in _BOTH_ENDS else beginning

    def shorten(value: Any, path: str, name: str) -> Any:  # noqa: ANN401 - anything that JSON has
        if isinstance(value, str):
            kept = shortened(value, limit_of(path, name))
            if (lost := len(value) - len(kept)) > 0 and name not in _NAMES:
                cut[path[:_NAME_LIMIT]] = cut.get(path[:_NAME_LIMIT], 0) + lost
            return kept
        if isinstance(value, dict):
            named = ((encodable(str(member)), one) for member, one in value.items())
            return {member: shorten(one, f"{path}.{member}", member) for member, one in named}
        if isinstance(value, list | tuple):
            return [shorten(one, f"{path}.{number}", name) for number, one in enumerate(value)]
        return None if isinstance(value, float) and not isfinite(value) else value

    members = {name: shorten(value, name, name) for name, value in event.items() if name != "cut"}
    return members | ({"cut": cut} if cut else {})


def _limit(divisor: int, path: str, name: str) -> int:
    if path.startswith("input."):
        return _INPUT_LIMIT // divisor
    if name in _NAMES:
        return _NAME_LIMIT
    return _LINE_LIMIT if name in _LINES or path.startswith("items.") else TEXT_LIMIT // divisor
