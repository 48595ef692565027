"""Who may run and who waits: no limit is passed, only a repository's limit lets others overtake, everybody starts."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloud_agent.domain.policy.slots import Occupancy, SlotLimits, Waiting

LIMITS = SlotLimits(sessions=2, sessions_per_repository=1)
NOW, LATER = "2026-11-22T11:00:00.000Z", "2026-11-22T11:00:00.001Z"
A, B = "acme/a", "acme/b"


def waiting(*sessions: tuple[str, str]) -> tuple[Waiting, ...]:
    """Sessions (id, repository) in the order in which they came."""
    return tuple(Waiting(f"2026-11-22T10:00:{place:02}.000Z", *session) for place, session in enumerate(sessions))


def next_id(occupancy: Occupancy, **options: Any) -> str | None:  # noqa: ANN401 - the function's own options
    found = occupancy.next_to_start(LIMITS, NOW, **options)
    return found.session_id if found else None


def test_whoever_came_first_is_next() -> None:
    assert next_id(Occupancy({}, waiting(("1", B), ("2", A)), 0)) == "1"


def test_nobody_is_next_when_nobody_waits_or_every_slot_is_taken() -> None:
    assert next_id(Occupancy({}, (), 0)) is None
    assert next_id(Occupancy({"8": "acme/x", "9": "acme/y"}, waiting(("1", A)), 0)) is None


def test_a_repository_at_its_limit_does_not_hold_up_the_one_behind_it() -> None:
    assert next_id(Occupancy({"9": A}, waiting(("1", A), ("2", B)), 0)) == "2"
    assert next_id(Occupancy({"9": A}, waiting(("1", A)), 0)) is None


def test_whoever_is_passed_over_holds_up_nobody() -> None:
    assert next_id(Occupancy({}, waiting(("1", A), ("2", B)), 0), passed_over={"1"}) == "2"


def test_whoever_aws_has_no_capacity_for_holds_up_those_behind_until_its_time_has_come() -> None:
    first, second = waiting(("1", A), ("2", B))
    for not_before, expected in ((LATER, None), (NOW, "1")):
        occupancy = Occupancy({}, (replace(first, not_before=not_before), second), 0)
        assert (next_id(occupancy), occupancy.is_out_of_capacity) == (expected, True)
    held_up = Occupancy({"9": A}, (replace(first, not_before=LATER), second), 0)
    assert next_id(held_up) == "2", "the first waits for its repository's limit, not for AWS"
    assert not Occupancy({}, (first, second), 0).is_out_of_capacity


def test_a_place_in_the_queue_counts_from_one() -> None:
    occupancy = Occupancy({"9": A}, waiting(("1", A), ("2", B)), 0)
    assert [occupancy.place_of(session_id) for session_id in ("1", "2", "9", "unknown")] == [1, 2, None, None]


@given(
    limits=st.builds(SlotLimits, sessions=st.integers(1, 4), sessions_per_repository=st.integers(1, 3)),
    moves=st.lists(st.one_of(st.sampled_from("abc"), st.integers(0, 5)), max_size=60),
)
def test_the_policy_keeps_its_limits_and_its_order_and_starts_everybody(
    limits: SlotLimits, moves: list[str | int]
) -> None:
    """A letter is a session that comes, of that repository; a number ends one of those that run; in the end all do."""
    live: dict[str, str] = {}
    queued: tuple[Waiting, ...] = ()
    came: list[str] = []
    started: list[str] = []

    def start_all_that_may() -> None:
        nonlocal queued
        while one := Occupancy(live, queued, 0).next_to_start(limits, NOW):
            running = Counter(live.values())
            overtaken = itertools.takewhile(lambda each: each is not one, queued)
            assert all(running[each.repo] >= limits.sessions_per_repository for each in overtaken)
            live[one.session_id] = one.repo
            queued = tuple(each for each in queued if each is not one)
            started.append(one.session_id)
            assert len(live) <= limits.sessions
            assert max(Counter(live.values()).values()) <= limits.sessions_per_repository

    def end(which: int) -> None:
        if live:
            del live[sorted(live)[which % len(live)]]

    for number, move in enumerate(moves):
        if isinstance(move, str):
            came.append(f"{number:02}")
            queued += (Waiting(f"{number:02}", f"{number:02}", move),)
        else:
            end(move)
        start_all_that_may()
    while live:
        end(0)
        start_all_that_may()
    assert queued == ()
    assert sorted(came) == sorted(started)
