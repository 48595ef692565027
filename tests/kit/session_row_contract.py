"""contracts/session_row.schema.json as a judge of rows, and its sample."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # it has no annotations of its own
from contracts.generator.documents import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    Document = dict[str, Any]


@cache
def row_schema() -> Document:
    """Return the schema of a session's row."""
    return dict(json.loads((CONTRACTS / "session_row.schema.json").read_text()))


def sample_row() -> Document:
    """Return the sample, which has every attribute there is, as boto3 would read it."""
    return dict(json.loads((CONTRACTS / "session_row.json").read_text(), parse_float=Decimal))


def objections_to_row(row: Mapping[str, Any]) -> list[str]:
    """Return what the contract has against a row as boto3 reads it, nothing where all is as described."""
    plain = json.loads(json.dumps(dict(row), default=_number))
    errors = jsonschema.Draft202012Validator(row_schema()).iter_errors(plain)
    return [f"{error.json_path}: {error.message[:300]}" for error in errors]


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
