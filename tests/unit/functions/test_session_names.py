"""Ids, names and addresses that are made from a session."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.sessions import a_session

from cloud_agent.domain.session.naming import EXECUTION_NAME_LIMIT, execution_name
from cloud_agent.domain.session.session import SessionStatus, expiry_after_end, session_url, timestamp

REPOSITORIES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}", fullmatch=True)
NUMBERS = st.integers(min_value=1, max_value=10**9)


def test_an_execution_is_named_so_that_the_console_reads_by_itself() -> None:
    assert execution_name("acme/storefront", 42, "09e22a8b") == "acme-storefront-42-09e22a8b"


@given(repo=REPOSITORIES, number=NUMBERS, session_id=st.from_regex(r"[0-9a-f]{8}", fullmatch=True))
def test_every_execution_name_is_one_that_step_functions_takes(repo: str, number: int, session_id: str) -> None:
    name = execution_name(repo, number, session_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name)
    assert name.endswith(f"-{number}-{session_id}")


def test_the_longest_repository_name_is_cut_and_not_the_session() -> None:
    name = execution_name("a" * 39 + "/" + "b" * 100, 10**9, "09e22a8b")
    assert len(name) == EXECUTION_NAME_LIMIT
    assert name.endswith("-1000000000-09e22a8b")


@pytest.mark.parametrize(
    ("uat_url", "expected"),
    [
        ("https://uat.example.com", "https://09e22a8b.uat.example.com"),
        ("http://uat.localhost:8080", "http://09e22a8b.uat.localhost:8080"),
    ],
)
def test_a_sessions_address_is_its_id_as_one_more_label(uat_url: str, expected: str) -> None:
    assert expected == session_url(uat_url, "09e22a8b")


def test_times_are_written_in_utc_to_the_millisecond() -> None:
    moment = datetime(2026, 11, 22, 8, 5, 12, 4999, UTC)
    assert timestamp(moment) == "2026-11-22T08:05:12.004Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp())


def test_an_ended_session_is_kept_for_thirty_days() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    assert expiry_after_end(moment) - moment.timestamp() == 30 * 86_400


def test_a_session_is_live_until_it_has_ended() -> None:
    assert {"QUEUED", "STARTING", "RUNNING"} == {status for status in SessionStatus if status.is_live}


def test_a_row_may_hold_more_than_the_functions_read() -> None:
    assert a_session(activity="Edit", unknown=1).status is SessionStatus.RUNNING
