"""Defect: SimulatePrincipalPolicy ignores ContextEntries, so that a statement with a condition never allows.

AWS documents them as the values of the condition keys that the simulated request has.

Source: SDK model "iam": SimulatePrincipalPolicyRequest.ContextEntries.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator
from ministack.services import iam

from embedded_aws.seam import wrap, wrap_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_entries: ContextVar[Mapping[str, str | list[str]] | None] = ContextVar("_entries", default=None)


def apply() -> None:
    """Evaluate a simulated request with the context that it is given."""
    wrap_entry(iam._IAM_HANDLERS, "SimulatePrincipalPolicy", _simulate)
    wrap(iam_evaluator, "evaluate", _evaluate)


def _simulate(original: Callable[..., object], params: dict[str, Any]) -> object:
    entries: dict[str, str | list[str]] = {}
    while name := iam._p(params, f"ContextEntries.member.{len(entries) + 1}.ContextKeyName"):
        values = _values(params, len(entries) + 1)
        entries[name.lower()] = values if len(values) > 1 else values[0]
    token = _entries.set(entries)
    try:
        return original(params)
    finally:
        _entries.reset(token)


def _values(params: dict[str, Any], entry: int) -> list[str]:
    values: list[str] = []
    while value := iam._p(params, f"ContextEntries.member.{entry}.ContextKeyValues.member.{len(values) + 1}"):
        values.append(value)
    return values or [""]


def _evaluate(original: Callable[..., object], context: Any, *args: object) -> object:  # noqa: ANN401 - ministack's own
    context.service_context |= _entries.get() or {}
    return original(context, *args)
