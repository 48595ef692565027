"""Times and spans as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE = timedelta(minutes=1)


def moment(when: datetime) -> str:
    """Return a time in UTC with its day: a comment may be read on another."""
    return f"{when:%b} {when.day}, {when:%H:%M} UTC"


def day(date: str | None) -> str:
    """Return a day of a row, which may be in another year."""
    when = datetime.fromisoformat(date or "")
    return f"{when:%b} {when.day}, {when.year}"


def clock(timestamp: str) -> str:
    """Return the time of a row's timestamp that's soon, or just over."""
    return datetime.fromisoformat(timestamp).strftime("%H:%M UTC")


def span(length: timedelta) -> str:
    """Return a span to the minute."""
    hours, minutes = divmod(max(length, timedelta()) // _MINUTE, 60)
    if not hours:
        return f"{minutes} min" if minutes else "less than a minute"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
