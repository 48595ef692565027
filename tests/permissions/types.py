"""Which classes an expression may be, or may hold: every class that annotations, constructors and returns mention.

The project's code is typed throughout. Generics are not told apart: a `dict[str, Session]`, its values and one of them
are all "Session", so what is derived from it is rather too much than too little.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.permissions.source import FUNCTIONS, Place, Sources, dotted, members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Library:
    """A class or a function of somebody else's, by its full name."""

    name: str


_BOTO3 = "mypy_boto3_"  # where the annotations of boto3's clients are from

Candidate = Place | Library
Candidates = frozenset[Candidate]
NOTHING: Candidates = frozenset()


class Types:
    """What the definitions of some sources are, each found out once."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._known: dict[object, Candidates] = {}
        self._scopes: dict[Place, Scope] = {}
        self._heirs: defaultdict[Place, list[Place]] = defaultdict(list)
        places = (one for one in sources.places() if isinstance(sources.definition(one), ast.ClassDef))
        classes = {class_: set(self._of_class(class_)) for class_ in places}
        for class_, asked in classes.items():
            for base in self._bases(class_):
                self._heirs[base].append(class_)
            if self._is_protocol(class_):
                self._heirs[class_] += [one for one, has in classes.items() if one != class_ and has >= asked]

    def scope(self, place: Place) -> Scope:
        """Return what names stand for inside a definition."""
        if place not in self._scopes:
            self._scopes[place] = Scope(self, place)
        return self._scopes[place]

    def once(self, key: object, find: Callable[[], Candidates]) -> Candidates:
        """Return what was found for a key; nothing while it is being found, for what refers to itself."""
        if key not in self._known:
            self._known[key] = NOTHING
            self._known[key] = find()
        return self._known[key]

    def of(self, place: Place) -> Candidates:
        """Return what a class makes, a function or a method returns, and a variable holds."""
        node = self.sources.definition(place)
        if isinstance(node, ast.ClassDef):
            return frozenset({place})
        scope = self.scope(place)
        if isinstance(node, FUNCTIONS):
            return scope.annotated(node.returns)
        annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
        return self.once(place, lambda: scope.annotated(annotation) | scope.of(node.value))

    def members(self, class_: Place, name: str) -> list[Place]:
        """Return where a class, those that it inherits from and those that inherit from it define a member.

        What has all members of a protocol counts as its heir.
        """
        return [
            Place(each.module, f"{each.name}.{name}") for each in self._family(class_) if name in self._of_class(each)
        ]

    def attribute(self, class_: Place, name: str) -> Candidates | None:
        """Return what a class's member or an instance's attribute is; None where the class has none of that name."""
        places = self.members(class_, name)
        assigned = [one for each in self._family(class_) for one in self._assigned(each, name)]
        if not places and not assigned:
            return None
        return _union(*map(self.of, places), *(self.scope(method).of(value) for method, value in assigned))

    def _family(self, class_: Place) -> Iterator[Place]:
        yield class_
        yield from self._ancestors(class_)
        yield from self._heirs[class_]

    def _ancestors(self, class_: Place) -> Iterator[Place]:
        for base in self._bases(class_):
            yield base
            yield from self._ancestors(base)

    def _bases(self, class_: Place) -> Iterator[Place]:
        node = self.sources.definition(class_)
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            place = self.sources.place(class_.module, dotted(base) or "")
            if isinstance(place, Place):
                yield place

    def _is_protocol(self, class_: Place) -> bool:
        node = self.sources.definition(class_)
        return isinstance(node, ast.ClassDef) and any(dotted(base) == "Protocol" for base in node.bases)

    def _of_class(self, class_: Place) -> dict[str, ast.AST]:
        node = self.sources.definition(class_)
        assert isinstance(node, ast.ClassDef)
        return dict(members(node))

    def _assigned(self, class_: Place, name: str) -> Iterator[tuple[Place, ast.expr]]:
        """What the methods of a class assign to an attribute of `self`, and which of them."""
        for method, node in self._of_class(class_).items():
            for one in ast.walk(node) if isinstance(node, FUNCTIONS) else ():
                match one:
                    case (
                        ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=attr)], value=value)
                        | ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=attr), value=value)
                    ) if attr == name and value is not None:
                        yield Place(class_.module, f"{class_.name}.{method}"), value


class Scope:
    """What names and expressions stand for inside one definition."""

    def __init__(self, types: Types, place: Place) -> None:
        self._types = types
        self._place = place
        node = types.sources.definition(place)
        self._bindings = _bindings(node) if isinstance(node, FUNCTIONS) else {}
        self._annotations = _annotations(node) if isinstance(node, FUNCTIONS) else {}
        first = next(iter(node.args.args), None) if isinstance(node, FUNCTIONS) and "." in place.name else None
        self._self = first.arg if first else None

    def named(self, node: ast.AST) -> Place | str | None:
        """Return what a name, or a chain of names with dots, stands for outside the definition."""
        name = dotted(node)
        first = name.partition(".")[0] if name else None
        if name is None or first == self._self or first in self._bindings or first in self._annotations:
            return None
        return self._types.sources.place(self._place.module, name)

    def of(self, node: ast.AST | None) -> Candidates:
        """Return the classes whose instances an expression may be, or may hold."""
        if node is None:
            return NOTHING
        return self._types.once(node, lambda: self._of(node))

    def annotated(self, annotation: ast.AST | None) -> Candidates:
        """Return every class that an annotation mentions."""
        found: set[Candidate] = set()
        for node in ast.walk(annotation) if annotation else ():
            match node:
                case ast.Constant(value=str(text)):
                    found |= self.annotated(ast.parse(text, mode="eval").body)
                case ast.Name() | ast.Attribute():
                    found |= self._meant(self._types.sources.place(self._place.module, dotted(node) or ""))
        return frozenset(found)

    def _meant(self, place: Place | str | None) -> Candidates:
        match place:
            case Place():
                return self._types.of(place)  # a class, or an alias of one
            case str():
                return frozenset({Library(place)})
        return NOTHING

    def _of(self, node: ast.AST) -> Candidates:
        match node:
            case ast.Name(id=name) if name == self._self:
                return frozenset({Place(self._place.module, self._place.name.partition(".")[0])})
            case ast.Name(id=name) if name in self._bindings or name in self._annotations:
                declared = _union(*map(self.annotated, self._annotations.get(name, ())))
                return declared or _union(*map(self.of, self._bindings.get(name, ())))
            case ast.Name():
                return self._meant(self.named(node))
            case ast.Attribute():
                return self._of_attribute(node)
            case ast.Call():
                return self._of_call(node)
        return _union(*map(self.of, ast.iter_child_nodes(node)))

    def _of_attribute(self, node: ast.Attribute) -> Candidates:
        if (named := self.named(node)) is not None:
            return self._meant(named)
        base = self.of(node.value)
        found = [self._types.attribute(one, node.attr) for one in base if isinstance(one, Place)]
        known = [one for one in found if one is not None]
        return _union(*known) if known else base  # of a container's or a library's: it hands on what it holds

    def _of_call(self, call: ast.Call) -> Candidates:
        if (service := _client(call)) is not None:
            return frozenset({client_of(service)})
        named = self.named(call.func)
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        # A built-in or somebody else's function may give back what it is given, one of a type variable does.
        if isinstance(named, Place) and not self._is_generic(named):
            return self._types.of(named)
        if isinstance(named, Place) or isinstance(call.func, ast.Name):
            return _union(self.of(call.func), *map(self.of, arguments))
        return self.of(call.func)

    def _is_generic(self, function: Place) -> bool:
        node = self._types.sources.definition(function)
        if not isinstance(node, FUNCTIONS) or node.returns is None:
            return False
        return any(
            self._types.sources.is_type_variable(function.module, dotted(one) or "") for one in ast.walk(node.returns)
        )


def client_of(service: str) -> Library:
    """Return the client of a service, by the service's name in boto3."""
    return Library(f"{_BOTO3}{service}")


def service_of(library: Library) -> str | None:
    """Return the service of boto3 whose client, or resource, that is."""
    return library.name.removeprefix(_BOTO3).partition(".")[0] if library.name.startswith(_BOTO3) else None


def _client(call: ast.Call) -> str | None:
    """Return the service of `client("ecs")`, whoever's client that is."""
    match call:
        case ast.Call(func=ast.Name(id="client") | ast.Attribute(attr="client"), args=[ast.Constant(value=str(name))]):
            return name
    return None


def _annotations(function: ast.AST) -> dict[str, list[ast.expr]]:
    """The annotations of parameters, those of nested functions too, and of variables."""
    found: defaultdict[str, list[ast.expr]] = defaultdict(list)
    for node in ast.walk(function):
        match node:
            case (
                ast.arg(arg=name, annotation=annotation)
                | ast.AnnAssign(target=ast.Name(id=name), annotation=annotation)
            ):
                found[name] += [annotation] if annotation else []
    return found


def _bindings(function: ast.AST) -> dict[str, list[ast.expr]]:
    """What is assigned to the names of a function; the parts of what is taken apart are not told from each other."""
    found: defaultdict[str, list[ast.expr]] = defaultdict(list)
    for target, value in _assignments(function):
        for name in ast.walk(target):
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                found[name.id].append(value)
    return found


def _assignments(function: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((target, value) for target in targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                yield target, value
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                yield target, value
            case ast.withitem(optional_vars=ast.expr() as target, context_expr=value):
                yield target, value


def _union(*parts: Candidates) -> Candidates:
    return NOTHING.union(*parts)
