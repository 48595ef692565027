"""What was measured, round by round, and the arithmetic on it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Measurements of each peer by name, one for each round; and why some are missing."""

    values: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    """Why a peer was not measured at all."""
    failed: dict[str, list[str]] = field(default_factory=dict)
    """What went wrong with a peer that was measured."""

    def add(self, peer: str, figure: str, value: float | None) -> None:
        """Note the next round's value; None when the peer failed in this round."""
        self.values.setdefault(peer, {}).setdefault(figure, []).append(value)

    def fail(self, peer: str, reason: str) -> None:
        """Note a failure, each distinct one once."""
        reasons = self.failed.setdefault(peer, [])
        if reason not in reasons:
            reasons.append(reason)

    def median(self, peer: str, figure: str) -> float | None:
        """Return the median of the peer's rounds, None when there is no value."""
        return _median(self._rounds(peer, figure))

    def ratio(self, peer: str, to: str, figure: str) -> float | None:
        """Return the median of the rounds' ratios: both values of each are of the same minute on the same machine."""
        pairs = zip(self._rounds(peer, figure), self._rounds(to, figure), strict=False)
        return _median([mine / other if mine is not None and other else None for mine, other in pairs])

    def _rounds(self, peer: str, figure: str) -> list[float | None]:
        return self.values.get(peer, {}).get(figure, [])


def _median(values: list[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return statistics.median(present) if present else None


@dataclass(frozen=True)
class Goal:
    """An upper limit that was set before anything was measured."""

    what: str
    limit: float
    value: float | None
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Say whether it is reached."""
        if self.value is None:
            return "not measured"
        return "reached" if self.value <= self.limit else "NOT reached"
