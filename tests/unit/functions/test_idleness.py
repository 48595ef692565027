"""When an idle session is warned of and ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.sessions import a_session

from cloud_agent.domain.policy.idleness import Idleness, IdleStep
from cloud_agent.domain.session.session import Session, timestamp

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def _session(**attributes: object) -> Session:
    created_at, active_at = timestamp(START - timedelta(hours=3)), timestamp(START)
    return a_session(**{"created_at": created_at, "last_active_at": active_at, **attributes})


def _at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def _step(minutes: float, *, busy: bool = False, **attributes: object) -> IdleStep:
    return Idleness.of(_session(**attributes), 60).step(_at(minutes), busy=busy)


@pytest.mark.parametrize(
    ("minutes", "ends_at", "expected"),
    [
        (0, None, IdleStep.NOTHING),
        (49.9, None, IdleStep.NOTHING),
        (50, None, IdleStep.WARN),
        (59.9, None, IdleStep.WARN),
        (50, 60, IdleStep.NOTHING),
        (59.9, 60, IdleStep.NOTHING),
        (60, 60, IdleStep.END),
        (300, 60, IdleStep.END),
        (300, None, IdleStep.WARN),  # nobody reconciled for hours: a warning comes first all the same
        (305, 310, IdleStep.NOTHING),
        (310, 310, IdleStep.END),
        (5, 20, IdleStep.WITHDRAW),  # the warning is from before the last activity
        (55, 40, IdleStep.WARN),
    ],
)
def test_an_idle_session_is_warned_ten_minutes_before_it_ends(
    minutes: float, ends_at: float | None, expected: IdleStep
) -> None:
    told = None if ends_at is None else timestamp(_at(ends_at))
    assert expected == _step(minutes, idle_ends_at=told)


@pytest.mark.parametrize("minutes", [0, 55, 60, 600])
def test_a_session_with_a_prompt_to_answer_is_not_idle(minutes: float) -> None:
    assert _step(minutes, busy=True) == IdleStep.NOTHING
    assert _step(minutes, busy=True, idle_ends_at=timestamp(_at(60))) == IdleStep.WITHDRAW


def test_a_visit_counts_as_much_as_a_word() -> None:
    assert _step(60, last_visited_at=timestamp(_at(30))) == IdleStep.NOTHING
    assert _step(60, last_visited_at=timestamp(_at(55)), idle_ends_at=timestamp(_at(60))) == IdleStep.WITHDRAW
    assert _step(80, last_visited_at=timestamp(_at(30))) == IdleStep.WARN
    assert _step(50, last_visited_at=timestamp(_at(-60))) == IdleStep.WARN


def test_a_session_that_nobody_has_written_to_yet_counts_from_its_beginning() -> None:
    session = _session(last_active_at=None, created_at=timestamp(START))
    assert Idleness.of(session, 60).since == START


def test_the_repositorys_own_limit_stands_before_the_deployments() -> None:
    assert _step(10, idle_minutes=20) == IdleStep.WARN
    assert Idleness.of(_session(idle_minutes=20), 60).minutes == 20


@pytest.mark.parametrize(("limit", "warning"), [(1, 0.5), (10, 5), (20, 10), (60, 10), (1440, 10)])
def test_a_short_limit_is_warned_of_half_way(limit: int, warning: float) -> None:
    assert timedelta(minutes=warning) == Idleness.of(_session(idle_minutes=limit), 60).warning


def test_the_end_that_people_are_told_of_leaves_them_time() -> None:
    idleness = Idleness.of(_session(), 60)
    assert _at(60) == idleness.next_end(_at(51))
    assert _at(130) == idleness.next_end(_at(120))


@given(
    limit=st.integers(1, 1440),
    start=st.floats(0, 3_000),
    pace=st.floats(0.1, 30),
)
def test_whoever_is_never_seen_is_warned_once_and_ended_after_the_limit(limit: int, start: float, pace: float) -> None:
    """However late and seldom the reconciler looks."""
    session, minutes, steps = _session(idle_minutes=limit), start, list[IdleStep]()
    while IdleStep.END not in steps:
        now = _at(minutes)
        idleness = Idleness.of(session, 60)
        step = idleness.step(now, busy=False)
        if step is IdleStep.WARN:
            session = session.model_copy(update={"idle_ends_at": timestamp(idleness.next_end(now))})
        if step is not IdleStep.NOTHING:
            steps.append(step)
        assert len(steps) <= 2
        minutes += pace
    assert steps == [IdleStep.WARN, IdleStep.END]
    assert minutes - pace >= limit - 0.001  # rows tell time to the millisecond
