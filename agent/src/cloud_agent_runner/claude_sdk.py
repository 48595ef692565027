"""Claude's SDK without the packages that it imports for tools that run in this very process.

The agent has none: Claude Code starts each MCP server itself. What `mcp` costs is in ADR-032; it isn't installed.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn, cast

if TYPE_CHECKING:
    from collections.abc import MutableSequence
    from importlib.abc import Loader

_MCP = "mcp"
_CHECKS = "jsonschema"


class _Unused:
    """Stands for a class of a package: may be named and inherited from, and nothing else."""

    def __init_subclass__(cls, **_: object) -> None:
        """Take whatever Pydantic's models take."""

    def __new__(cls, *_: object, **__: object) -> NoReturn:
        package = cls.__module__.partition(".")[0]
        raise RuntimeError(f"{cls.__name__} is of the package {package}, which the agent does without")


class _Module(ModuleType):
    __path__: MutableSequence[str] = []  # noqa: RUF012 - as ModuleType declares it; a package's modules are found by it

    def __getattr__(self, name: str) -> type[_Unused]:
        if name.startswith("__"):
            raise AttributeError(name)
        unused = type(name, (_Unused,), {"__module__": self.__name__})
        setattr(self, name, unused)
        return unused


class _Finder:
    """Finds the package and all below it, before anything else does, and is their loader.

    It is neither by inheritance: `importlib.abc` imports a dozen modules, in each process of the agent.
    """

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(fullname, cast("Loader", self)) if fullname.partition(".")[0] == _MCP else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


def leave_out_mcp() -> None:
    """Have every import of the package find names, with nothing behind them."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def import_without_checks() -> None:
    """Import the SDK without `jsonschema`, by which it checks a tool's arguments: a tenth of the supervisor's start.

    Other importers find the package as it is.
    """
    if _CHECKS not in sys.modules:
        sys.modules[_CHECKS] = _Module(_CHECKS)
        try:
            import claude_agent_sdk  # noqa: F401, PLC0415 - for its own import, while the placeholder is there
        finally:
            del sys.modules[_CHECKS]
