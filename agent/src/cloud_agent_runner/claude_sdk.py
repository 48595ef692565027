"""Claude's SDK without the package `mcp`, which it imports for tools that run in this very process.

The agent has none: Claude Code starts each MCP server itself. What the package costs is in ADR-032; it isn't installed.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import MutableSequence

_PACKAGE = "mcp"


class _Unused:
    """Stands for a class of the package: may be named and inherited from, and nothing else."""

    def __init_subclass__(cls, **_: object) -> None:
        """Take whatever Pydantic's models take."""

    def __new__(cls, *_: object, **__: object) -> NoReturn:
        raise RuntimeError(f"{cls.__name__} is of the package {_PACKAGE}, which the agent does without")


class _Module(ModuleType):
    __path__: MutableSequence[str] = []  # noqa: RUF012 - as ModuleType declares it; a package's modules are found by it

    def __getattr__(self, name: str) -> type[_Unused]:
        if name.startswith("__"):
            raise AttributeError(name)
        unused = type(name, (_Unused,), {})
        setattr(self, name, unused)
        return unused


class _Finder(MetaPathFinder, Loader):
    """Finds the package and all below it, before anything else does."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.partition(".")[0] == _PACKAGE else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


def leave_out_mcp() -> None:
    """Have every import of the package find names, with nothing behind them."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
