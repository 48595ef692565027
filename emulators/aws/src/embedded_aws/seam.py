"""How a patch takes hold of ministack."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def wrap(owner: ModuleType | type, name: str, around: Callable[..., Any]) -> None:
    """Replace `owner.name` by a call of `around(original, *args, **kwargs)`.

    Raises:
        AttributeError: `owner` has no such function, so the patch was written for another version.
    """
    original = getattr(owner, name)
    setattr(owner, name, _around(original, around))


def wrap_entry(table: dict[str, Callable[..., Any]], key: str, around: Callable[..., Any]) -> None:
    """Do the same for a function that is looked up in `table`, such as a service's table of actions.

    Raises:
        KeyError: the table has no such entry.
    """
    table[key] = _around(table[key], around)


def wrap_handler(resource_type: str, operation: str, around: Callable[..., Any]) -> None:
    """Do the same for CloudFormation's handler of `operation` (create, update or delete) on a resource type.

    Raises:
        KeyError: ministack has no such handler.
    """
    from ministack.services.cloudformation import provisioners  # noqa: PLC0415 - 1 s to import, last

    wrap_entry(provisioners._RESOURCE_HANDLERS[resource_type], operation, around)  # noqa: SLF001 - the table of all


def _around(original: Callable[..., Any], around: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def replacement(*args: object, **kwargs: object) -> object:
        return around(original, *args, **kwargs)

    return replacement
