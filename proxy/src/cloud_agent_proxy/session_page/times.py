"""Moments and spans of time as the page shows them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: str) -> datetime | None:
    """Return the time that an RFC 3339 text says, None where it says none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def span(begin: datetime | None, end: datetime | None) -> str:
    """Return how long it took, in the two largest units: `42s`, `12m 5s`, `2h 3m`; empty where that is unknown."""
    if begin is None or end is None:
        return ""
    seconds = max(0, int((end - begin).total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {seconds % 60}s" if minutes else f"{seconds}s"


def span_of(begin: str, end: str) -> str:
    """Return the span between two RFC 3339 texts."""
    return span(moment(begin), moment(end))


def day_and_clock(text: str) -> str:
    """Return day and time in UTC, such as `2026-11-22 14:05 UTC`; empty where the text is no time."""
    at = moment(text)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""


def clock(text: str) -> str:
    """Return the time of day in UTC, such as `14:05`; empty where the text is no time."""
    at = moment(text)
    return f"{at.astimezone(UTC):%H:%M}" if at else ""
