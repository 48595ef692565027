"""The terminal: what a command prints, what is being done, and how long each part took."""

from __future__ import annotations

import codecs
import io
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)
_REPORTED_COLUMNS = 60
# Where the terminal's encoding has no such character; anything else becomes a question mark.
_PLAIN = {"✓": "ok", "✗": "FAILED", "…": "...", "—": "-", "·": "-", "┌": "|", "├": "|", "└": "|"}


def print_in_any_encoding() -> None:
    """Guarantee that no text fails to be printed, whatever the encoding of the standard streams."""
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(one, "?") for one in error.object[error.start : error.end]), error.end


@contextmanager
def part(name: str) -> Iterator[Callable[[str], None]]:
    """Show that a part is under way, with what is reported of it, and its time in seconds when it is done."""
    started = time.monotonic()
    try:
        with console.status(f"{name} …") as status:
            yield lambda words: status.update(f"{name} … [dim]{escape(words[:_REPORTED_COLUMNS])}[/dim]")
    except BaseException:
        console.print(f"  [red]✗[/red] {name}")
        raise
    console.print(f"  [green]✓[/green] {name:<42}{time.monotonic() - started:6.1f} s")
