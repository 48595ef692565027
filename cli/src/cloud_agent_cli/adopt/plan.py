"""Which of the resources that were found are adopted, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_cli.adopt.resources import KINDS, Found, Kind
from cloud_agent_cli.errors import AdoptionError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

ANY = ""  # asked for by its logical id alone


@dataclass(frozen=True)
class Decision:
    """What becomes of one of the template's resources; `adopted` is None where nothing is, and `words` say why."""

    kind: Kind
    adopted: Found | None
    words: str


def decide(found: Sequence[Found], in_stack: Collection[str], wanted: Mapping[str, str]) -> list[Decision]:
    """One decision for each resource that is wanted, by logical id and identifier (ANY: whichever is found).

    Where nothing is named, all are wanted, and what can't be adopted stays as it is. What is named has to be adopted.

    Raises:
        AdoptionError: an unknown logical id; two resources of the account match; what was named cannot be adopted; or
            there is nothing to adopt.
    """
    for logical_id in wanted:
        if logical_id not in KINDS:
            raise AdoptionError(f"{logical_id}: only {', '.join(KINDS)} can be adopted.")
    decisions = [
        _decide(kind, [each for each in found if each.kind == kind], in_stack, wanted.get(logical_id))
        for logical_id, kind in KINDS.items()
        if not wanted or logical_id in wanted
    ]
    if not any(decision.adopted for decision in decisions):
        reasons = "\n".join(f"  {decision.kind.logical_id}: {decision.words}" for decision in decisions)
        raise AdoptionError(f"There is nothing to adopt.\n{reasons}")
    return decisions


def _decide(kind: Kind, found: list[Found], in_stack: Collection[str], requested: str | None) -> Decision:
    if kind.logical_id in in_stack:
        return _not_adopted(kind, "the stack has one already", requested)
    matching = [each for each in found if requested in {None, ANY, each.identifier}]
    free = [each for each in matching if each.owner is None]
    if len(free) > 1:
        listed = "\n".join(f"  {kind.logical_id}={each.identifier}  ({each.why})" for each in free)
        raise AdoptionError(f"More than one resource may be the stack's {kind.logical_id}. Name the one:\n{listed}")
    if not free:
        owned = ", ".join(f"{each.identifier} belongs to the stack {each.owner}" for each in matching)
        return _not_adopted(kind, owned or f"not found{f': {requested}' if requested else ''}", requested)
    (only,) = free
    if only.unfit:
        return _not_adopted(kind, f"{only.identifier}: {'; '.join(only.unfit)}", requested)
    return Decision(kind, only, only.why)


def _not_adopted(kind: Kind, words: str, requested: str | None) -> Decision:
    if requested is not None:
        raise AdoptionError(f"{kind.logical_id} cannot be adopted: {words}.")
    return Decision(kind, None, words)
