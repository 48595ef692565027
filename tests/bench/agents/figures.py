"""What is counted, and how it is printed."""

from __future__ import annotations

import statistics

Found = dict[str, list[float]]  # seconds until an agent learnt of what people wrote, by kind of agent


def table_of(what: str, seconds: Found) -> str:
    """Return a table of times."""
    lines = [f"| {what} | median | p95 | longest | of |", "|---|---|---|---|---|"]
    for kind, times in sorted(seconds.items()):
        ordered = sorted(times)
        p95 = ordered[round(0.95 * (len(ordered) - 1))]
        shown = " | ".join(f"{one:.2f} s" for one in (statistics.median(ordered), p95, ordered[-1]))
        lines.append(f"| {kind} | {shown} | {len(ordered):,} |")
    return "\n".join(lines)
