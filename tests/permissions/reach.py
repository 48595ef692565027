"""Which calls of AWS can be reached from a function: its definitions followed from name to name, without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.permissions.source import FUNCTIONS, Place, dotted, members
from tests.permissions.types import Library, client_of, service_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.permissions.types import Scope, Types

# The doctor's way to every read-only operation: the service's and the operation's name are its first two arguments.
_DESCRIBING = Place("cloud_agent_doctor.engine.aws", "Aws")
# An item of a DynamoDB transaction is a document whose one key says what is done with the item.
TRANSACTION = Library("item of a DynamoDB transaction")
_TRANSACTION_ITEMS = {"ConditionCheck", "Delete", "Put", "Update"}
_NAMED_BY_ARGUMENT = {"generate_presigned_url", "get_paginator", "get_waiter"}
_ASKED_FOR = {"property", "cached_property", "staticmethod", "classmethod"}


@dataclass(frozen=True)
class Use:
    """Where a library's class or function is used, and which of its methods; none where it is the class itself."""

    at: Place
    of: Library
    method: str = ""

    @property
    def service(self) -> str | None:
        """The service of boto3 whose client that is."""
        return service_of(self.of)


class Reach:
    """All that is reached from some definitions."""

    def __init__(self, types: Types, *starts: Place) -> None:
        self.uses: set[Use] = set()
        self.places: set[Place] = set()
        self._types = types
        self._left = list(starts)
        while self._left:
            self._visit(self._left.pop())

    def _visit(self, place: Place) -> None:
        if place in self.places:
            return
        self.places.add(place)
        for part in self._parts(place):
            for node in _without_annotations(part):
                self._use(node, place, self._types.scope(place))

    def _parts(self, place: Place) -> Iterator[ast.AST]:
        """What is evaluated when a definition is used."""
        node = self._types.sources.definition(place)
        match node:
            case ast.ClassDef():
                self._left += [Place(place.module, f"{place.name}.{name}") for name in _used_by_itself(node)]
                yield from [*node.bases, *node.keywords, *node.decorator_list]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from [*node.decorator_list, node.args, *node.body]
            case _:
                if node.value is not None:
                    yield node.value
                yield from self._registered(place)

    def _registered(self, variable: Place) -> Iterator[ast.AST]:
        """What a variable's module does with it on import, and what it decorates, such as the handlers of routes."""
        module = self._types.sources.modules[variable.module]
        yield from (statement for statement in module.statements if _mentions(statement, variable.name))
        for name, node in module.definitions.items():
            if isinstance(node, FUNCTIONS) and any(_mentions(one, variable.name) for one in node.decorator_list):
                self._left.append(Place(variable.module, name))

    def _use(self, node: ast.AST, at: Place, scope: Scope) -> None:
        if isinstance(node, (ast.Name, ast.Attribute)):
            match scope.named(node):
                case Place() as place:
                    self._left.append(place)
                    return
                case str() as name:
                    self.uses.add(Use(at, Library(name)))
        if isinstance(node, ast.Attribute):
            for candidate in scope.of(node.value):
                if isinstance(candidate, Place):
                    self._left += self._types.members(candidate, node.attr)
                else:
                    self.uses.add(Use(at, candidate, node.attr))
        if isinstance(node, ast.Dict):
            self.uses |= {Use(at, TRANSACTION, kind) for kind in _items_of_transaction(node)}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            self._use_by_name(node, node.func, at, scope)

    def _use_by_name(self, call: ast.Call, method: ast.Attribute, at: Place, scope: Scope) -> None:
        """Find the operations whose names are arguments."""
        of = scope.of(method.value)
        if method.attr in _NAMED_BY_ARGUMENT:
            self.uses |= {
                Use(at, one, _literal(call.args[0])) for one in of if isinstance(one, Library) and service_of(one)
            }
        elif _DESCRIBING in of and method.attr.startswith("describe"):
            service, operation = (_literal(argument) for argument in call.args[:2])
            self.uses.add(Use(at, client_of(service), operation))


def _used_by_itself(class_: ast.ClassDef) -> Iterator[str]:
    """Members that nobody needs to name: special methods, validators and the like, what is declared with a value."""
    for name, node in members(class_).items():
        decorators = node.decorator_list if isinstance(node, FUNCTIONS) else []
        is_method = isinstance(node, FUNCTIONS) and not name.startswith("__")
        if not is_method or not _ASKED_FOR.issuperset(map(dotted, decorators)):
            yield name


def _without_annotations(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _without_annotations(child)


def _items_of_transaction(node: ast.Dict) -> set[str]:
    return {key.value for key in node.keys if isinstance(key, ast.Constant) and key.value in _TRANSACTION_ITEMS}


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


def _literal(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
    raise ValueError(f"line {node.lineno}: {ast.unparse(node)} is no literal, so no operation can be read off it")
