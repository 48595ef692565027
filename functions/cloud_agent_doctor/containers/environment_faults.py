"""Where an environment differs from what the code reads: names, and the values that are known."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

_ALIKE = 0.8  # of difflib's ratio: SESSION_TABLE and SESSIONS_TABLE have 0.96, GITHUB_URL and GITHUB_API_URL 0.83


@dataclass(frozen=True)
class EnvironmentFault:
    """One variable that isn't as the code reads it."""

    text: str
    stops: bool
    """Whether the program refuses to start or to respond because of it."""


def environment_faults(
    reads: AbstractSet[str],
    given: Mapping[str, str],
    expected: Mapping[str, str],
    secrets: AbstractSet[str] = frozenset(),
) -> Iterator[EnvironmentFault]:
    """Compare the variables the code reads with those it's given, and their values with the stack's.

    For `secrets`, `given` has the ARN, or nothing if the value itself is in plain text: that's never shown.
    """
    missing = reads - set(given)
    unread = set(given) - reads
    for name in sorted(unread):
        meant = get_close_matches(name, sorted(missing), n=1, cutoff=_ALIKE)
        if meant:
            missing -= {meant[0]}
            yield EnvironmentFault(f"{name}: did you mean {meant[0]}? Nothing reads {name}", stops=True)
        else:
            yield EnvironmentFault(f"nothing reads {name}", stops=False)
    for name in sorted(missing):
        yield EnvironmentFault(f"{name} is missing", stops=True)
    for name in sorted(reads & set(given)):
        if name in secrets and not given[name]:
            yield EnvironmentFault(f"{name} is in plain text, not a secret", stops=False)
        elif name in expected and given[name] != expected[name]:
            yield EnvironmentFault(f"{name} is {_shown(name, given[name])}, not {expected[name]!r}", stops=False)


def _shown(name: str, value: str) -> str:
    """Return a value as shown; what should be an ARN and isn't may be the secret itself."""
    return repr(value) if not name.endswith("_ARN") or value.startswith("arn:") else "not an ARN"
