"""YAML as a file of settings needs it: no more than so many values, and nothing that makes a small file large.

An alias repeats a part of the document as often as it likes, and a tag has PyYAML construct what nobody wrote.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import yaml

from cloud_agent_runner.repository.bounded_yaml import bounded_events

_VALUES_LIMIT = 5_000
_DEPTH_LIMIT = 20


class _Loader(yaml.SafeLoader):
    """Constructs what YAML itself has, whatever a library of the same process has taught PyYAML's own loader."""

    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        **yaml.constructor.SafeConstructor.yaml_constructors,
        "tag:yaml.org,2002:timestamp": yaml.constructor.SafeConstructor.construct_yaml_timestamp,
    }


class _Mark(Protocol):
    line: int  # counted from 0


class PlainYamlError(Exception):
    """The content isn't YAML, or isn't plain; the text says why, `line` where, counted from 1, if that's known."""

    def __init__(self, problem: str, mark: _Mark | None = None) -> None:
        super().__init__(problem)
        self.line = mark.line + 1 if mark else None


def parse(content: bytes) -> tuple[yaml.Node | None, object]:
    """Return the document twice: as nodes, which know their lines, and as values. None where it's empty.

    Raises:
        PlainYamlError: it can't be used.
    """
    try:
        _refuse_what_is_not_plain(content)
        document = yaml.compose(content, _Loader)
        return document, None if document is None else _Loader("").construct_document(document)
    except yaml.reader.ReaderError as error:
        raise PlainYamlError(f"it isn't UTF-8 text ({error.reason})") from error
    except yaml.MarkedYAMLError as error:
        raise PlainYamlError(error.problem or str(error), error.problem_mark) from error
    except ValueError as error:  # of int() and datetime(), which don't know the line
        raise PlainYamlError("a number or a date in it is out of range") from error


def _refuse_what_is_not_plain(content: bytes) -> None:
    for event in bounded_events(content, _Loader, depth_limit=_DEPTH_LIMIT, events_limit=_VALUES_LIMIT):
        if isinstance(event, yaml.NodeEvent) and (objection := _objection(event)):
            raise PlainYamlError(objection, event.start_mark)


def _objection(event: yaml.NodeEvent) -> str | None:
    if event.anchor is not None:
        return "anchors and aliases aren't supported"
    if getattr(event, "tag", None) is not None:
        return "tags, such as `!name`, aren't supported"
    if isinstance(event, yaml.ScalarEvent):
        if "\0" in event.value:
            return "it has a NUL character"
        if not _is_encodable(event.value):
            return "it has half of a surrogate pair"
    return None


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
