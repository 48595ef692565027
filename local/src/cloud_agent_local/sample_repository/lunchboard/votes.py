"""The day's votes, kept in a file."""

import json
import threading
from pathlib import Path


class UnknownDishError(ValueError):
    """A vote for something that is not on the menu."""


class Votes:
    """Counts votes for the dishes it is given."""

    def __init__(self, path: Path, dishes: set[str]) -> None:
        self._path = path
        self._dishes = dishes
        self._lock = threading.Lock()

    def counts(self) -> dict[str, int]:
        """Return the number of votes of every dish, also of those without any."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            kept = {}
        return {dish: int(kept.get(dish, 0)) for dish in sorted(self._dishes)}

    def add(self, dish: str) -> dict[str, int]:
        """Add one vote and return all counts."""
        if dish not in self._dishes:
            raise UnknownDishError(dish)
        with self._lock:
            counts = self.counts()
            counts[dish] += 1
            self._path.write_text(json.dumps(counts), encoding="utf-8")
        return counts
