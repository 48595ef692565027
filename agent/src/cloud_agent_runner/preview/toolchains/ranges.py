"""Ranges of versions, as package.json, pyproject.toml, Gemfile and version files write them.

The dialects differ in an operator or two: npm's `^` and hyphen, Python's `~=` and commas, Ruby's `~>`. They don't
contradict each other, so that a range here understands them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

Version = tuple[int, int, int]

_NONE: Version = (0, 0, 0)
_ENDLESS: Version = (10**9, 0, 0)
_NUMBER = r"(\d{1,8}|[xX*])"
_COMPARATOR = re.compile(
    rf"(\^|~>|~=|~|>=|<=|>|<|!=|={{0,3}})\s*v?{_NUMBER}(?:\.{_NUMBER})?(?:\.{_NUMBER})?(?:[-+.\w]*)(?:\s+|$)"
)


def version(text: str) -> Version | None:
    """Return the first version that stands in a text, such as the output of `node --version`."""
    found = re.search(r"(\d{1,8})(?:\.(\d{1,8}))?(?:\.(\d{1,8}))?", text)
    return _padded([int(number or 0) for number in found.groups()]) if found else None


@dataclass(frozen=True)
class VersionRange:
    """Stretches of versions, each from its first one up to one that isn't in it any more."""

    stretches: tuple[tuple[Version, Version], ...]

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the range that a text describes; None where it describes none, or names a release by a word."""
        stretches = [_stretch(part) for part in text.replace(",", " ").split("||")]
        known = [stretch for stretch in stretches if stretch is not None]
        return cls(tuple(known)) if len(known) == len(stretches) else None

    def __contains__(self, version: Version) -> bool:
        """Return whether a version lies in one of the stretches."""
        return any(first <= version < end for first, end in self.stretches)

    def line(self, preferred: Iterable[str]) -> str | None:
        """Return what to ask for to get a version of this range: `20` is the newest of 20, `20.11.1` itself.

        That is the first of `preferred` whose newest version is in the range, else where the range starts. None if that
        can't be told.
        """
        for name in preferred:
            parts = [int(part) for part in name.split(".")]
            newest = _before(_next(parts))
            if newest in self:
                return name
        for first, end in reversed(self.stretches):
            if first > _NONE:
                return _shortest(first, end)
        return None


def _stretch(text: str) -> tuple[Version, Version] | None:
    """Return what all comparators of a text have in common."""
    text = re.sub(r"(\S)\s+-\s+(?=\S)", r"\1 <=", text.strip())
    if "<=" in text and not re.match(r"[<>=~^!]", text):
        text = f">={text}"
    first, end = _NONE, _ENDLESS
    position = 0
    while position < len(text):
        found = _COMPARATOR.match(text, position)
        if found is None:
            return None
        position = found.end()
        numbers = takewhile(lambda part: part is not None and part.isdigit(), found.groups()[1:])
        lower, upper = _bounds(found[1], [int(number) for number in numbers])
        first, end = max(first, lower), min(end, upper)
    return first, end


def _bounds(operator: str, numbers: list[int]) -> tuple[Version, Version]:
    at, after = _padded(numbers), _next(numbers)
    leading = next((place for place, number in enumerate(numbers, 1) if number), len(numbers))
    bounds = {
        ">=": (at, _ENDLESS),
        ">": (after, _ENDLESS),
        "<": (_NONE, at),
        "<=": (_NONE, after),
        "!=": (_NONE, _ENDLESS),
        "^": (at, _next(numbers[:leading])),
        "~": (at, _next(numbers[:2])),
        "~=": (at, _next(numbers[:-1] or numbers)),
        "~>": (at, _next(numbers[:-1] or numbers)),
    }
    return bounds.get(operator, (at, after))


def _shortest(first: Version, end: Version) -> str:
    """Return the shortest text that asks for a version from `first` on, before `end`."""
    for places in (1, 2):
        if not any(first[places:]) and _next(list(first[:places])) <= end:
            return ".".join(str(part) for part in first[:places])
    return ".".join(str(part) for part in first)


def _padded(numbers: list[int]) -> Version:
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch


def _next(numbers: list[int]) -> Version:
    """Return the first version that doesn't start with these numbers."""
    return _padded([*numbers[:-1], numbers[-1] + 1]) if numbers else _ENDLESS


def _before(version: Version) -> Version:
    """Return a version that is newer than any other before this one."""
    major, minor, patch = version
    if patch:
        return major, minor, patch - 1
    return (major, minor - 1, _ENDLESS[0]) if minor else (major - 1, _ENDLESS[0], 0)
