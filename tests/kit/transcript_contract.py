"""contracts/transcript.schema.json as a judge of what a transcript has."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no annotations of its own
from contracts.generator.documents import CONTRACTS

Document = dict[str, Any]


@cache
def _schema() -> Document:
    return dict(json.loads((CONTRACTS / "transcript.schema.json").read_text()))


def objections_to_batch(content: bytes, first: int) -> list[str]:
    """Return what the contract has against a batch whose first event is the stream's `first`, nothing if it's right."""
    validator = jsonschema.Draft202012Validator(_schema())
    events = [json.loads(line) for line in content.decode().splitlines()]
    found = [f"{error.json_path}: {error.message[:300]}" for event in events for error in validator.iter_errors(event)]
    numbers = [event["seq"] for event in events]
    return found + ([] if numbers == list(range(first, first + len(events))) else [f"numbered {numbers}"])
