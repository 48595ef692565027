"""A trigger label on a pull request starts nothing, and says what does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]

SESSION = "6020583d"


@pytest.fixture
def label(deliver_event: Callable[..., Response]) -> Callable[..., Response]:
    """Put a label on pull request 43."""

    def send(
        delivery: str = "d-1", *, name: str = "claude-dev", login: str = "octo-dev", state: str = "open"
    ) -> Response:
        payload = {
            "action": "labeled",
            "label": {"name": name},
            "pull_request": {"number": 43, "state": state, "updated_at": "2026-11-22T08:00:00Z"},
            "repository": {"id": REPOSITORY_ID, "full_name": "acme/storefront", "default_branch": "main"},
            "installation": {"id": 99},
            "sender": {"login": login},
        }
        return deliver_event("pull_request", payload, delivery)

    return send


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (None, "Add it to an issue"),
        ("RUNNING", "to steer it, comment or review"),
        ("STOPPED", "comment `/restart`"),
    ],
)
def test_who_puts_it_there_is_told_once_how_to_go_on(  # noqa: PLR0913, PLR0917 - fixtures
    label: Callable[..., Response],
    put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    status: str | None,
    advice: str,
) -> None:
    if status:
        put_session(SESSION, status=status)
    for delivery in ("d-1", "d-2", "d-2"):
        assert label(delivery) == (200, {"ignored": "#43 is a pull request, and a session starts from an issue"})
    (said,) = github_stand_in.said(43)
    assert "The label `claude-dev` starts a session only on an issue" in said
    assert advice in said
    label("d-3", login="guest")
    assert len(github_stand_in.said(43)) == 2
    assert step_functions.executions == {}


@pytest.mark.parametrize("how", [{"name": "bug"}, {"login": "renovate[bot]"}, {"state": "closed"}])
def test_other_labels_bots_and_closed_pull_requests_are_passed_over(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, how: dict[str, str]
) -> None:
    status, answer = label(**how)
    assert (status, list(answer)) == (200, ["ignored"])
    assert github_stand_in.requests == []


def test_an_explanation_that_github_lost_is_said_by_the_redelivery(
    label: Callable[..., Response], github_stand_in: GitHubStandIn
) -> None:
    github_stand_in.faults.append(("POST", "/comments", 0, True))
    assert label()[0] == 503
    assert label()[0] == 200
    assert len(github_stand_in.comments) == 1
