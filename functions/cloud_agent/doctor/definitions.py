"""Where a deployed workflow differs from the repository's, state by state; knows no AWS."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import takewhile
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
    """Empty where it is about the workflow as a whole."""
    path: str
    """Within the state, such as `Arguments.TableName`."""
    expected: str
    seen: str

    @property
    def words(self) -> str:
        """In one clause."""
        where = ", ".join(part for part in (f'state "{self.state}"' if self.state else "", self.path) if part)
        return f"{where or 'the definition'} is {self.seen}, not {self.expected}"


@dataclass
class _Comparison:
    """What each `${Name}` stands for: known from the stack, or learnt where it is first met."""

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
            yield Difference(state, path, *_shown(self._substituted(expected), self._substituted(seen)))

    def _same(self, expected: object, seen: object) -> bool:
        if not isinstance(expected, str) or not isinstance(seen, str):
            return type(expected) is type(seen) and expected == seen
        pattern, learnt = "", {}
        for index, part in enumerate(_PLACEHOLDER.split(expected)):
            if index % 2 == 0:
                pattern += re.escape(part)
            elif part in self.names:
                pattern += re.escape(self.names[part])
            elif part in learnt:
                pattern += f"(?P={part})"
            else:
                learnt[part] = ""
                pattern += f"(?P<{part}>.*)"
        found = re.fullmatch(pattern, seen, re.DOTALL)
        if found:
            self.names |= found.groupdict()
        return bool(found)

    def _substituted(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        if not isinstance(value, str):
            return value
        return _PLACEHOLDER.sub(lambda found: self.names.get(found[1], found[0]), value)


def _shown(expected: Any, seen: Any) -> tuple[str, str]:  # noqa: ANN401 - JSON
    """Both in one line; of long ones the part where they part."""
    texts = ["absent" if value is _ABSENT else json.dumps(value, ensure_ascii=False) for value in (expected, seen)]
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    start = max(0, alike - _LONGEST_SHOWN // 2)
    cut = [f"{'…' * bool(start)}{text[start:]}" for text in texts]
    one, other = (text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…" for text in cut)
    return one, other


def differences(repository: str, deployed: str, known: Mapping[str, str]) -> list[Difference]:
    """Where the deployed definition is not what the repository's becomes by its substitutions.

    `known` are the values of the substitutions that are certain. Any other `${Name}` of the repository stands for any
    text, but for the same one everywhere.

    Raises:
        ValueError: one of the two is no JSON.
    """
    return list(_Comparison(dict(known)).differences("", "", json.loads(repository), json.loads(deployed)))
