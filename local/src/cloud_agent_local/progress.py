"""Progress on the terminal: what is being done, and how long each part took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def part(name: str) -> Iterator[None]:
    """Show that a part is under way, and its time in seconds when it is done."""
    started = time.monotonic()
    try:
        with console.status(f"{name} …"):
            yield
    except BaseException:
        console.print(f"  [red]✗[/red] {name}")
        raise
    console.print(f"  [green]✓[/green] {name:<42}{time.monotonic() - started:6.1f} s")
