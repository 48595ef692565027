"""Which of GitHub's deliveries were lost and are asked for once more: GitHub itself sends each only once."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable

# After the first failure, after the second, after the third: an outage of an hour loses nothing.
PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
# Older ones are left: people have helped themselves by then. Longer than all pauses, so every attempt is seen.
LOOKED_BACK = timedelta(hours=3)
_MAY_PASS = frozenset({0, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})


class Delivery(BaseModel):
    """One attempt, as GitHub lists it. Attempts of one delivery share its `guid`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    guid: str
    delivered_at: datetime
    redelivery: bool
    status_code: int

    @property
    def has_arrived(self) -> bool:
        """Whether the webhook took it."""
        return HTTPStatus.OK <= self.status_code < HTTPStatus.MULTIPLE_CHOICES

    @property
    def may_yet_arrive(self) -> bool:
        """Whether it failed on the way (0: no answer at all) or for now; a refusal would only be repeated.

        Except that of a signature: the webhook's secret is being changed, here and in the App's settings.
        """
        return self.status_code in _MAY_PASS or self.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR


def lost(attempts: Iterable[Delivery], now: datetime) -> list[Delivery]:
    """Return the deliveries to ask for once more now, each by its first attempt, oldest first.

    Each is asked for at most as often as there are pauses. One whose first attempt is not among those given is left
    alone: how often it was tried cannot be known.
    """
    by_guid: defaultdict[str, list[Delivery]] = defaultdict(list)
    for attempt in sorted(attempts, key=lambda one: one.delivered_at):
        by_guid[attempt.guid].append(attempt)
    return [tried[0] for tried in by_guid.values() if _is_due(tried, now)]


def _is_due(tried: list[Delivery], now: datetime) -> bool:
    first, last = tried[0], tried[-1]
    if first.redelivery or len(tried) > len(PAUSES) or any(attempt.has_arrived for attempt in tried):
        return False
    return (
        last.may_yet_arrive
        and first.delivered_at > now - LOOKED_BACK
        and now >= last.delivered_at + PAUSES[len(tried) - 1]
    )
