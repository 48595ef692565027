"""Which deliveries are asked for once more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cloud_agent.domain.policy.redelivery import PAUSES, Delivery, lost

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _attempt(minutes_ago: float, status_code: int = 503, *, guid: str = "a", redelivery: bool = False) -> Delivery:
    return Delivery(
        id=int(1_000_000 - minutes_ago * 100),
        guid=guid,
        delivered_at=NOW - timedelta(minutes=minutes_ago),
        redelivery=redelivery,
        status_code=status_code,
    )


def _again(minutes_ago: float, status_code: int = 503) -> Delivery:
    return _attempt(minutes_ago, status_code, redelivery=True)


def _due(*attempts: Delivery) -> list[str]:
    return [delivery.guid for delivery in lost(attempts, NOW)]


@pytest.mark.parametrize("status_code", [0, 401, 429, 500, 502, 503, 504])
def test_what_failed_on_the_way_is_asked_for_again(status_code: int) -> None:
    assert _due(_attempt(2, status_code)) == ["a"]


@pytest.mark.parametrize("status_code", [200, 202, 204, 400, 403, 404, 410])
def test_what_arrived_or_was_refused_is_not(status_code: int) -> None:
    assert _due(_attempt(2, status_code)) == []


def test_what_arrived_at_the_second_attempt_is_left_alone() -> None:
    assert _due(_attempt(30), _again(20, 202)) == []
    assert _due(_again(20, 202), _attempt(30)) == []


def test_what_was_refused_at_the_second_attempt_is_left_alone() -> None:
    assert _due(_attempt(30), _again(20, 400)) == []


def test_each_further_attempt_waits_longer() -> None:
    assert _due(_attempt(0.5)) == []
    assert _due(_attempt(1)) == ["a"]
    assert _due(_attempt(12), _again(9)) == []
    assert _due(_attempt(12), _again(10)) == ["a"]
    assert _due(_attempt(75), _again(73), _again(59)) == []
    assert _due(_attempt(75), _again(73), _again(60)) == ["a"]


def test_after_three_repetitions_it_is_given_up() -> None:
    attempts = [_attempt(170), _again(168), _again(157), _again(96)]
    assert len(PAUSES) == 3
    assert _due(*attempts) == []


def test_a_delivery_whose_first_attempt_is_out_of_sight_is_left_alone() -> None:
    assert _due(_again(60)) == []
    assert _due(_attempt(181)) == []


def test_the_oldest_comes_first_and_each_by_its_first_attempt() -> None:
    attempts = [
        _attempt(5, guid="young"),
        _attempt(20, guid="old", redelivery=True),
        _attempt(40, guid="old"),
        _attempt(7, 202, guid="fine"),
    ]
    found = lost(attempts, NOW)
    assert [delivery.guid for delivery in found] == ["old", "young"]
    assert [delivery.redelivery for delivery in found] == [False, False]


def test_an_outage_of_an_hour_loses_nothing() -> None:
    """The webhook is away from minute 0 to 60; the reconciler looks each minute."""
    attempts = [_attempt(0)]
    for minute in range(1, 180):
        now = NOW + timedelta(minutes=minute)
        for delivery in lost(attempts, now):
            status_code = 202 if minute > 60 else 503
            attempts.append(
                delivery.model_copy(update={"delivered_at": now, "redelivery": True, "status_code": status_code})
            )
    assert [attempt.status_code for attempt in attempts] == [503, 503, 503, 202]
