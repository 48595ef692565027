"""What the response to a probe says about the path."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kit.sessions import a_session
from tests.unit.functions.doctor.inside_account import SESSION_ID, stack_of

from cloud_agent_doctor.probe import SessionProbe
from cloud_agent_doctor.session.reachability import findings

URL = f"https://{SESSION_ID}.uat.example.com"
SESSION = a_session(session_id=SESSION_ID)


def told(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"error": None, "title": "The session is live", "live": True, "hop": None} | changes


def problems(probe: SessionProbe, row: dict[str, Any] | None = None, **parameters: str) -> list[str]:
    return [one.problem for one in findings(stack_of(**parameters), SESSION, row or {}, URL, probe)]


def test_a_live_session_has_no_finding() -> None:
    assert problems(SessionProbe(200, document=told()), {"preview": {"state": "live"}}) == []


@pytest.mark.parametrize("state", ["starting", "none"])
def test_a_preview_that_has_yet_to_come_up_or_that_there_is_none_of_is_no_fault(state: str) -> None:
    probe = SessionProbe(200, document=told(error="dev_server_not_responding", live=False, hop="It is not listening."))
    assert problems(probe, {"preview": {"state": state}}) == []


def test_a_preview_that_failed_is_found_with_the_reason_that_the_agent_gave() -> None:
    probe = SessionProbe(200, document=told(error="dev_server_not_responding", live=False, hop="It is not listening."))
    (problem,) = problems(probe, {"preview": {"state": "failed", "detail": "`npm ci` ended with status 1", "log": "…"}})
    assert "It is not listening. The preview has failed: `npm ci` ended with status 1" in problem


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        (SessionProbe(error="the name doesn't resolve"), "can't be reached: the name doesn't resolve"),
        (
            SessionProbe(503),
            "responds with 503, and not from the proxy: that's a load balancer without healthy targets",
        ),
        (SessionProbe(404), "responds with 404, and not from the proxy: that's a listener without our rule"),
        (SessionProbe(418), "responds with 418, and not from the proxy: it's unknown what responded"),
        (
            SessionProbe(401, document=told(error="signed_out", live=False)),
            "rejects the link of session 09e22a8b",
        ),
        (
            SessionProbe(200, document=told(error="dev_server_not_responding", live=False, hop="It is not listening.")),
            "doesn't reach the dev server of session 09e22a8b: It is not listening. (Its row says it's live.)",
        ),
        (
            SessionProbe(404, document=told(error="session_unknown", live=False, title="There is no such session")),
            "There is no such session",
        ),
    ],
)
def test_whatever_is_in_the_way_is_one_finding(probe: SessionProbe, words: str) -> None:
    (problem,) = problems(probe)
    assert words in problem


def test_where_visitors_sign_in_to_be_turned_away_is_to_have_arrived() -> None:
    assert problems(SessionProbe(401, document=told(error="signed_out", live=False)), UatAccess="github") == []


def test_a_report_of_the_agent_that_is_not_so_is_found() -> None:
    (problem,) = problems(SessionProbe(200, document=told()), {"preview": {"state": "failed"}})
    assert "its row says that it failed" in problem
