"""The patterns of a load balancer's rules, compared as the sets of text that they match.

`*` stands for any number of characters, none included, and `?` for exactly one; everything else for itself. Case is
the caller's: host names have none, paths do.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Stands for every character that neither pattern names: they all behave alike.
_ANY_OTHER = ""


def includes(wider: str, narrower: str) -> bool:
    """Whether everything that `narrower` matches is matched by `wider`, too."""
    alphabet = _alphabet(wider, narrower)
    start = (0, _closure(wider, [0]))
    seen, waiting = {start}, deque([start])
    while waiting:
        place, places = waiting.popleft()
        for at in _closure(narrower, [place]):
            if at == len(narrower) and len(wider) not in places:
                return False
            for character in alphabet:
                following = _closure(wider, _steps(wider, places, character))
                for beyond in _steps(narrower, [at], character):
                    if (beyond, following) not in seen:
                        seen.add((beyond, following))
                        waiting.append((beyond, following))
    return True


def overlaps(one: str, other: str) -> bool:
    """Whether there is a text that both match."""
    alphabet = _alphabet(one, other)
    start = (_closure(one, [0]), _closure(other, [0]))
    seen, waiting = {start}, deque([start])
    while waiting:
        places, others = waiting.popleft()
        if len(one) in places and len(other) in others:
            return True
        for character in alphabet:
            following = (
                _closure(one, _steps(one, places, character)),
                _closure(other, _steps(other, others, character)),
            )
            if all(following) and following not in seen:
                seen.add(following)
                waiting.append(following)
    return False


def _alphabet(*patterns: str) -> list[str]:
    return [*sorted(set("".join(patterns)) - {"*", "?"}), _ANY_OTHER]


def _closure(pattern: str, places: Iterable[int]) -> frozenset[int]:
    """Return these places in a pattern, and those that are reached from them with no character more."""
    reached = set()
    for place in places:
        at = place
        reached.add(at)
        while at < len(pattern) and pattern[at] == "*":
            at += 1
            reached.add(at)
    return frozenset(reached)


def _steps(pattern: str, places: Iterable[int], character: str) -> list[int]:
    """Where one more character leads."""
    return [
        place if pattern[place] == "*" else place + 1
        for place in places
        if place < len(pattern) and pattern[place] in {"*", "?", character}
    ]
