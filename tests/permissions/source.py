"""The project's Python sources as a table of definitions: which module defines what, and what a name means there."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tests.kit.stack_template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where the packages of the programs that call AWS are.
FOLDERS = ("functions", "proxy/src", "cli/src")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Place:
    """A definition's module and its name there; a method's is `Class.method`."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Module:
    """One module: its definitions by name, what it imports by the name that it has here, and what it runs on import."""

    definitions: dict[str, Definition]
    imports: dict[str, str]
    statements: tuple[ast.stmt, ...]


class Sources:
    """Some modules, by their full names."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self.modules = {name: _parsed(ast.parse(text)) for name, text in texts.items()}

    def definition(self, place: Place) -> Definition:
        """Return what is defined there."""
        name, _, member = place.name.partition(".")
        found = self.modules[place.module].definitions[name]
        return members(found)[member] if member and isinstance(found, ast.ClassDef) else found

    def places(self) -> Iterator[Place]:
        """Every definition at the top of a module, and the members of its classes."""
        for name, module in self.modules.items():
            for one, node in module.definitions.items():
                yield Place(name, one)
                if isinstance(node, ast.ClassDef):
                    yield from (Place(name, f"{one}.{member}") for member in members(node))

    def place(self, module: str, name: str) -> Place | str | None:
        """Return where the project defines what a module calls `name`, or the full name that it has in a library.

        None where it is neither defined nor imported there: a local name, a built-in, or more than a definition.
        """
        first, _, rest = name.partition(".")
        if first in self.modules[module].definitions:
            return None if rest else Place(module, first)
        target = self.modules[module].imports.get(first)
        return self._imported(f"{target}.{rest}" if rest else target) if target else None

    def is_type_variable(self, module: str, name: str) -> bool:
        """Return whether a module defines that name as a type variable."""
        match self.modules[module].definitions.get(name):
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
                return True
        return False

    def _imported(self, full: str) -> Place | str | None:
        parts = full.split(".")
        for end in range(len(parts), 0, -1):
            module, name = ".".join(parts[:end]), ".".join(parts[end:])
            if module in self.modules:
                return self.place(module, name) if name else None
        return full


@cache
def project() -> Sources:
    """Return the sources of this checkout."""
    return Sources({
        ".".join(path.relative_to(ROOT / folder).with_suffix("").parts).removesuffix(".__init__"): path.read_text()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    })  # fmt: skip


def members(class_: ast.ClassDef) -> dict[str, Definition]:
    """Return a class's methods, and its attributes as far as the class itself declares them."""
    return _definitions(class_.body)


def dotted(node: ast.AST) -> str | None:
    """Return a name, or a chain of names, as it is written; None for any other expression."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            base = dotted(value)
            return base and f"{base}.{attr}"
    return None


def _parsed(tree: ast.Module) -> Module:
    imports: dict[str, str] = {}
    for node in ast.walk(tree):  # also those under TYPE_CHECKING, whose names annotations use
        match node:
            case ast.Import(names=names):
                for one in names:
                    first = one.name.partition(".")[0]
                    imports[one.asname or first] = one.name if one.asname else first
            case ast.ImportFrom(module=str(module), names=names):
                imports |= {one.asname or one.name: f"{module}.{one.name}" for one in names}
    statements = tuple(one for one in tree.body if isinstance(one, (ast.Expr, ast.For, ast.With)))
    return Module(_definitions(tree.body), imports, statements)


def _definitions(body: list[ast.stmt]) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found[node.name] = node
            case ast.Assign(targets=targets):
                found |= {one.id: node for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = node
    return found
