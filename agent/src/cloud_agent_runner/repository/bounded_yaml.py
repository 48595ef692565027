"""YAML of a repository's files, as far as it can be read in a moment: the supervisor has a session to look after.

PyYAML looks at each bracket that's open for each character, and a few hundred bytes of merges (`<<: [*a, *a]`, each of
the ones before) have it construct more than any memory holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVENTS_LIMIT = 20_000
_DEPTH_LIMIT = 50
_NODES_LIMIT = 100_000  # with each alias as what it stands for


def load(text: str | bytes) -> object:
    """Return what YAML says, of types that it has itself; None of an empty document.

    Raises:
        yaml.YAMLError: it's none, or would take long.
        ValueError: of `int()` and the like.
        RecursionError: an alias stands for what it's in.
    """
    for _ in bounded_events(text, yaml.SafeLoader, depth_limit=_DEPTH_LIMIT, events_limit=_EVENTS_LIMIT):
        pass
    document = yaml.compose(text, yaml.SafeLoader)
    if document is None:
        return None
    if _nodes(document, {}) > _NODES_LIMIT:
        raise yaml.YAMLError("it repeats too much of itself")
    value: object = yaml.SafeLoader("").construct_document(document)
    return value


def bounded_events(
    text: str | bytes, loader: type[yaml.SafeLoader], *, depth_limit: int, events_limit: int
) -> Iterator[yaml.Event]:
    """Yield what a document is parsed into, before anything is made of it.

    Raises:
        yaml.YAMLError: it's none, is nested too deeply, or has too many values; the last two with their place.
    """
    depth = 0
    for events, event in enumerate(yaml.parse(text, loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > depth_limit or events > events_limit:
            objection = "it's nested too deeply" if depth > depth_limit else "it has too many values"
            mark: Any = event.start_mark  # the stubs know two classes of it, and take one
            raise yaml.MarkedYAMLError(problem=objection, problem_mark=mark)
        yield event


def _nodes(node: yaml.Node, counted: dict[int, int]) -> int:
    """Return how many nodes there are in a node, one that several aliases stand for as often as they do."""
    if (known := counted.get(id(node))) is not None:
        return known
    members: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        members = [member for pair in node.value for member in pair]
    elif isinstance(node, yaml.SequenceNode):
        members = node.value
    count = 1 + sum(_nodes(member, counted) for member in members)
    counted[id(node)] = count
    return count
