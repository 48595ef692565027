"""What a visit's answer says of the path."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.functions.doctor.inside_account import SESSION_ID, stack_of

from cloud_agent.domain.session.session import Session, SessionStatus
from cloud_agent_doctor.session.probes import Visit
from cloud_agent_doctor.session.session_visit import findings

URL = f"https://{SESSION_ID}.uat.example.com"
SESSION = Session(
    session_id=SESSION_ID,
    status=SessionStatus.RUNNING,
    repo="acme/storefront",
    issue_number=42,
    issue_key="42",
    branch="claude/42",
    token_hash="",
    execution_arn="",
    created_at="2026-11-22T07:00:00.000Z",
)


def told(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"error": None, "title": "The session is live", "live": True, "hop": None} | changes


def problems(visit: Visit, row: dict[str, Any] | None = None, **parameters: str) -> list[str]:
    return [one.problem for one in findings(stack_of(**parameters), SESSION, row or {}, URL, visit)]


def test_a_live_session_has_no_finding() -> None:
    assert problems(Visit(200, document=told()), {"dev_server": {"answering": True}}) == []


@pytest.mark.parametrize(
    ("visit", "words"),
    [
        (Visit(trouble="the name has no address"), "cannot be reached: the name has no address"),
        (Visit(503), "answered 503, and not by the proxy: a load balancer answers so when it has no healthy target"),
        (Visit(404), "answered 404, and not by the proxy: a listener without our rule"),
        (Visit(418), "answered 418, and not by the proxy: what answers is not known here"),
        (Visit(401, document=told(error="signed_out", live=False)), "does not accept the link of session 09e22a8b"),
        (
            Visit(200, document=told(error="dev_server_not_answering", live=False, hop="It is not listening.")),
            "shows no dev server of session 09e22a8b: It is not listening. (The row says that it answers.)",
        ),
        (
            Visit(404, document=told(error="session_unknown", live=False, title="There is no such session")),
            "There is no such session",
        ),
    ],
)
def test_whatever_is_in_the_way_is_one_finding(visit: Visit, words: str) -> None:
    (problem,) = problems(visit)
    assert words in problem


def test_where_visitors_sign_in_to_be_turned_away_is_to_have_arrived() -> None:
    assert problems(Visit(401, document=told(error="signed_out", live=False)), UatAccess="github") == []


def test_a_report_of_the_agent_that_is_not_so_is_found() -> None:
    (problem,) = problems(Visit(200, document=told()), {"dev_server": {"answering": False}})
    assert "its row says that it does not" in problem
