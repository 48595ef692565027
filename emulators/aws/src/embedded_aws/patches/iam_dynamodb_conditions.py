"""Defect: a policy's conditions on the items and attributes of a DynamoDB request find nothing to compare.

AWS documents dynamodb:LeadingKeys (the partition keys a request names), dynamodb:Attributes (all top-level attributes
it names, keys included) and dynamodb:ReturnValues; a key that is absent satisfies `ForAllValues`, so a policy that
narrows a role to some items or attributes would allow all of them here.

Source: Amazon DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ministack.core import iam_actions
from ministack.services import dynamodb

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Json = dict[str, Any]

_EXPRESSIONS = ("UpdateExpression", "ConditionExpression", "FilterExpression", "KeyConditionExpression")
# fmt: off
_WORDS = frozenset((
    "set", "remove", "add", "delete", "and", "or", "not", "between", "in",
    "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size",
    "if_not_exists", "list_append",
))
# fmt: on
# The first segment of a path, which is no value (:v) and no further segment (a.b, a[0].b).
_PATH = re.compile(r"(?<![\w:#.\]])#?[A-Za-z_]\w*")
_EQUALS = re.compile(r"(#?\w+)\s*=\s*(:\w+)")


def apply() -> None:
    """Say what a request names."""
    wrap(iam_actions, "dynamodb_service_context", _context)


def _context(original: Callable[[bytes], Json], body: bytes) -> Json:
    context = original(body)
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return context
    if not isinstance(request, dict):
        return context
    attributes = {*context.get("dynamodb:Attributes", []), *_attributes(request)}
    if attributes:
        context["dynamodb:Attributes"] = sorted(attributes)
    if keys := sorted(set(_leading_keys(request))):
        context["dynamodb:LeadingKeys"] = keys
    if isinstance(request.get("ReturnValues"), str):
        context["dynamodb:ReturnValues"] = request["ReturnValues"]
    return context


def _attributes(request: Json) -> Iterator[str]:
    """Yield the names of the attributes in keys, items and expressions; of each part of a transaction, too."""
    for part in _parts(request):
        names = part.get("ExpressionAttributeNames") or {}
        for member in ("Key", "Item"):
            yield from part.get(member) or {}
        for member in _EXPRESSIONS:
            for word in _PATH.findall(part.get(member) or ""):
                if word.lower() not in _WORDS:
                    yield names.get(word, word)


def _leading_keys(request: Json) -> Iterator[str]:
    for part in _parts(request):
        table = dynamodb._tables.get(part.get("TableName", "").rsplit("/", 1)[-1]) or {}
        name = table.get("pk_name")
        for member in ("Key", "Item"):
            if value := (part.get(member) or {}).get(name):
                yield _text(value)
        names, values = part.get("ExpressionAttributeNames") or {}, part.get("ExpressionAttributeValues") or {}
        for word, mark in _EQUALS.findall(part.get("KeyConditionExpression") or ""):
            if names.get(word, word) == name and mark in values:
                yield _text(values[mark])


def _parts(request: Json) -> list[Json]:
    """Return the request itself, or the single actions of a transaction."""
    items = request.get("TransactItems")
    if not isinstance(items, list):
        return [request]
    return [action for item in items if isinstance(item, dict) for action in item.values() if isinstance(action, dict)]


def _text(value: Json) -> str:
    """Return an attribute value ({"S": "x"}) as policies compare it."""
    return str(next(iter(value.values()), ""))
