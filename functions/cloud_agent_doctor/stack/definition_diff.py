"""Where a deployed workflow differs from the repository's, state by state; knows no AWS."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_LONGEST_SHOWN = 120  # characters of a value
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """One place where the two differ."""

    state: str
    """Empty if it's about the workflow as a whole."""
    path: str
    """Within the state, such as `Arguments.TableName`."""
    expected: str
    seen: str

    @property
    def text(self) -> str:
        """In one clause."""
        where = ", ".join(part for part in (f'state "{self.state}"' if self.state else "", self.path) if part)
        return f"{where or 'the definition'} is {self.seen}, not {self.expected}"


@dataclass
class _Comparison:
    """What each `${Name}` stands for: known from the stack, or learned where it first occurs."""

    names: dict[str, str] = field(default_factory=dict)

    def differences(self, state: str, path: str, expected: Any, seen: Any) -> Iterator[Difference]:  # noqa: ANN401 - JSON
        if isinstance(expected, dict) and isinstance(seen, dict):
            for key in dict.fromkeys([*expected, *seen]):
                one, other = expected.get(key, _ABSENT), seen.get(key, _ABSENT)
                if path == "States" and not state:
                    yield from self.differences(key, "", one, other)
                else:
                    yield from self.differences(state, f"{path}.{key}" if path else key, one, other)
        elif isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
            for index, (one, other) in enumerate(zip(expected, seen, strict=True)):
                yield from self.differences(state, f"{path}[{index}]", one, other)
        elif not self._same(expected, seen):
            yield Difference(state, path, *self._excerpts(expected, seen))

    def _same(self, expected: object, seen: object) -> bool:
        if not isinstance(expected, str) or not isinstance(seen, str):
            return type(expected) is type(seen) and expected == seen
        pattern, learned = "", {}
        for index, part in enumerate(_PLACEHOLDER.split(expected)):
            if index % 2 == 0:
                pattern += re.escape(part)
            elif part in self.names:
                pattern += re.escape(self.names[part])
            elif part in learned:
                pattern += f"(?P={part})"
            else:
                learned[part] = ""
                pattern += f"(?P<{part}>.*)"
        found = re.fullmatch(pattern, seen, re.DOTALL)
        if found:
            self.names |= found.groupdict()
        return bool(found)

    def _excerpts(self, expected: object, seen: object) -> tuple[str, str]:
        """Return both, shortened to where they differ."""
        one, other = self._text(expected), self._text(seen)
        shared = len(os.path.commonprefix([one, other]))  # noqa: RUF071 - by characters, as is meant
        start = max(0, shared - _LONGEST_SHOWN // 4) if max(len(one), len(other)) > _LONGEST_SHOWN else 0
        return _shown(expected, one, start), _shown(seen, other, start)

    def _text(self, value: object) -> str:
        text = value if isinstance(value, str) else "" if value is _ABSENT else json.dumps(value)
        return _PLACEHOLDER.sub(lambda found: self.names.get(found[1], found[0]), text)


def _shown(value: object, text: str, start: int) -> str:
    if value is _ABSENT:
        return "absent"
    end = start + _LONGEST_SHOWN
    text = ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")
    return repr(text) if isinstance(value, str) else text


def differences(repository: str, deployed: str, known: Mapping[str, str]) -> list[Difference]:
    """Return where the deployed definition differs from the repository's after substitution.

    `known` has the substitutions that are certain. Any other `${Name}` in the repository stands for any text, but for
    the same one everywhere.

    Raises:
        ValueError: one of the two isn't JSON.
    """
    return list(_Comparison(dict(known)).differences("", "", json.loads(repository), json.loads(deployed)))
