"""Which session a request comes to: the same delivery or comment always comes to the same one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.kit.sessions import a_request

from cloud_agent.domain.session.agents import Agent
from cloud_agent.domain.session.issue_sessions import IssueSessions
from cloud_agent.domain.session.naming import name_session
from cloud_agent.domain.session.session import Session
from cloud_agent.domain.session.session_request import RequestedSession, SessionRequest

MEMBERS = a_request(triggered_by="d-1", triggered_at="2026-11-22T08:00:00.000Z", installation_id=None)
NOBODY = IssueSessions(42, current=None)
LIVE = "09e22a8b"
TRIGGERS = st.text(max_size=64)
IDS = st.from_regex(r"[0-9a-f]{8}", fullmatch=True)


def requests(triggered_by: str, **changes: object) -> SessionRequest:
    return SessionRequest.model_validate(MEMBERS | {"triggered_by": triggered_by} | changes)


def after(session: RequestedSession, **state: bool) -> IssueSessions:
    """The issue's sessions when this one has been requested."""
    return IssueSessions(42, None, session, **state)


@st.composite
def histories(draw: st.DrawFn) -> IssueSessions:
    """An issue on which something else, or nothing, was requested before."""
    if draw(st.booleans()):
        return NOBODY
    request = requests("another:" + draw(TRIGGERS), agent=draw(st.sampled_from(Agent)))
    last = name_session(request, NOBODY, follows=draw(st.none() | IDS))
    return after(last, last_has_begun=draw(st.booleans()), last_is_cancelled=draw(st.booleans()))


@given(trigger=TRIGGERS, sessions=histories())
def test_a_request_comes_to_a_session_of_its_own_whatever_was_requested_before(
    trigger: str, sessions: IssueSessions
) -> None:
    session = name_session(requests(trigger), sessions)
    assert session.session_id == name_session(requests(trigger), NOBODY).session_id
    assert re.fullmatch(r"[0-9a-f]{8}", session.session_id)
    assert sessions.last is None or sessions.last.session_id != session.session_id


@given(trigger=TRIGGERS, sessions=histories(), follows=st.none() | IDS, began=st.booleans(), cancelled=st.booleans())
def test_a_request_that_is_tried_again_comes_to_the_same_session(
    trigger: str, sessions: IssueSessions, follows: str | None, *, began: bool, cancelled: bool
) -> None:
    first = name_session(requests(trigger), sessions, follows)
    now = after(first, last_has_begun=began, last_is_cancelled=cancelled)
    for is_followed in (None, follows, first.session_id):
        again = name_session(requests(trigger, agent="staging"), now, is_followed)
        assert again == first.model_copy(update={"requested_at": again.requested_at})


@given(trigger=TRIGGERS, sessions=histories())
def test_no_session_follows_itself(trigger: str, sessions: IssueSessions) -> None:
    own = name_session(requests(trigger), NOBODY).session_id
    again = name_session(requests(trigger), sessions, follows=own)
    assert (again.session_id, again.follows) == (own, None)


@given(st.lists(TRIGGERS, min_size=2, max_size=5, unique=True))
def test_requests_to_follow_one_session_are_one_session_with_the_agent_of_the_first(triggers: list[str]) -> None:
    first = last = name_session(requests(triggers[0], agent="staging"), NOBODY, follows=LIVE)
    for trigger in triggers[1:]:
        last = name_session(requests(trigger), after(last), follows=LIVE)
        assert (last.session_id, last.agent, last.follows) == (first.session_id, Agent.STAGING, LIVE)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_whoever_follows_one_session_does_not_join_the_follower_of_another(*, is_cancelled: bool) -> None:
    of_another = name_session(requests("d-1", agent="staging"), NOBODY, follows="aaaa0001")
    session = name_session(requests("d-2"), after(of_another, last_is_cancelled=is_cancelled), follows=LIVE)
    expected = name_session(requests("d-2"), NOBODY, follows=LIVE)
    assert (session.session_id, session.agent) == (expected.session_id, expected.agent)


def test_two_followers_at_the_same_moment_are_one_session_too() -> None:
    ids = {name_session(requests(trigger), NOBODY, follows=LIVE).session_id for trigger in ("d-1", "d-2")}
    assert len(ids) == 1


@given(st.lists(st.tuples(TRIGGERS, st.booleans()), min_size=2, max_size=6, unique_by=lambda pair: pair[0]))
def test_a_follower_that_was_cancelled_is_never_the_one_that_follows(requested: list[tuple[str, bool]]) -> None:
    sessions, cancelled = NOBODY, set[str]()
    for trigger, is_cancelled in requested:
        session = name_session(requests(trigger), sessions, follows=LIVE)
        assert session.session_id not in cancelled
        assert session.follows == LIVE
        sessions = after(session, last_is_cancelled=is_cancelled)
        if is_cancelled:
            cancelled.add(session.session_id)


def test_repository_issue_and_trigger_each_make_another_session() -> None:
    changes: list[dict[str, Any]] = [{}, {"repository_id": 2}, {"issue_number": 43}, {"triggered_by": "d-2"}]
    ids = {name_session(requests(**{"triggered_by": "d-1"} | change), NOBODY).session_id for change in changes}
    assert len(ids) == len(changes)


def test_the_session_before_is_the_last_one_that_ever_began() -> None:
    first = name_session(requests("d-1"), NOBODY)
    second = name_session(requests("d-2"), after(first, last_has_begun=True))
    third = name_session(requests("d-3"), after(second, last_is_cancelled=True))
    assert [one.previous_session_id for one in (first, second, third)] == [None, first.session_id, first.session_id]
    row = {"status": "STOPPED", "token_hash": "", "execution_arn": "arn", "created_at": "2026-11-22T08:00:00.000Z"}
    current = Session.model_validate(MEMBERS | row | {"session_id": LIVE})
    assert name_session(requests("d-4"), IssueSessions(42, current)).previous_session_id == LIVE


@pytest.mark.parametrize(("follows", "minutes"), [(None, 1), (LIVE, 11)])
def test_a_session_may_begin_for_a_minute_and_for_ten_more_where_it_waits_for_another(
    follows: str | None, minutes: int
) -> None:
    session = name_session(requests("d-1"), NOBODY, follows)
    for seconds, may_begin in ((-5, True), (5, False)):
        requested_at = datetime.now(UTC) - timedelta(minutes=minutes, seconds=seconds)
        asked = session.model_copy(update={"requested_at": requested_at})
        assert after(asked).next_is_starting is may_begin
        assert not after(asked, last_is_cancelled=True).next_is_starting
        assert not after(asked, last_has_begun=True).next_is_starting


def test_a_sessions_document_is_read_as_it_was_written() -> None:
    session = name_session(requests("d-1"), NOBODY, follows=LIVE)
    written = session.model_dump(mode="json")
    assert written["triggered_at"] == "2026-11-22T08:00:00.000Z"
    assert RequestedSession.model_validate(written).model_dump(mode="json") == written


@pytest.mark.parametrize(
    "wrong",
    [
        {"session_id": "09E22A8B"},
        {"session_id": "09e22a8b\n"},
        {"session_id": "09e22a8"},
        {"repo": "acme"},
        {"repo": "-acme/storefront"},
        {"repo": "acme/store front"},
        {"repo": "acme/a/b"},
        {"issue_number": 0},
        {"triggered_at": "2026-11-22T08:00:00"},
        {"token": "x"},
    ],
)
def test_a_requested_session_takes_nothing_but_what_it_names(wrong: dict[str, object]) -> None:
    written = name_session(requests("d-1"), NOBODY).model_dump()
    assert RequestedSession.model_validate(written)
    with pytest.raises(ValidationError):
        RequestedSession.model_validate(written | wrong)
