"""What git cannot hold, in one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = sqlite3.Row
_SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")


def now() -> str:
    """Return this moment as GitHub writes it: UTC, whole seconds, `Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Storage:
    """One connection shared by all threads; a transaction has it alone from its start to its commit.

    `after_commit` is called when a transaction has been committed, in the thread that committed it.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(_SCHEMA)
        self.after_commit: Callable[[], object] = lambda: None

    def close(self) -> None:
        """Close the file; the storage is not usable afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that happens inside, or nothing of it when an error leaves the block. Not nestable."""
        with self._lock, self._connection:
            yield
        self.after_commit()

    def all(self, sql: str, *values: object) -> list[Row]:
        """Return the rows of a query."""
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except OverflowError:  # a number beyond SQLite's: no row has it
                return []

    def one(self, sql: str, *values: object) -> Row | None:
        """Return the first row of a query, or None."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def get(self, table: str, row_id: int) -> Row:
        """Return the row of that id, which must exist."""
        (row,) = self.all(f"SELECT * FROM {table} WHERE id = ?", row_id)  # noqa: S608 - table is a literal of our code
        return row

    def count(self, sql: str, *values: object) -> int:
        """Return the number of rows a query yields."""
        (row,) = self.all(f"SELECT count(*) FROM ({sql})", *values)  # noqa: S608 - sql is a literal of our code
        return int(row[0])

    def insert(self, table: str, **columns: Any) -> Row:  # noqa: ANN401 - whatever SQLite can hold
        """Add a row and return it as stored."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING *"  # noqa: S608 - names are keyword arguments of our code
        (row,) = self.all(sql, *columns.values())
        return row

    def update(self, table: str, row_id: int, **columns: Any) -> Row:  # noqa: ANN401 - whatever SQLite can hold
        """Change a row and return it as stored."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE {table} SET {assignments} WHERE id = ? RETURNING *"  # noqa: S608 - names are keyword arguments of our code
        (row,) = self.all(sql, *columns.values(), row_id)
        return row

    def delete(self, table: str, row_id: int) -> None:
        """Remove the row of that id."""
        self.all(f"DELETE FROM {table} WHERE id = ?", row_id)  # noqa: S608 - table is a literal of our code
