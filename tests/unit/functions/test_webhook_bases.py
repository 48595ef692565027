"""A pull request's base that a person changes: its live session has it from then on, as GitHub says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID

from cloud_agent.adapters.table.keys import pull_key, session_key
from cloud_agent.adapters.table.sessions_table import SessionsTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]

SESSION = "6020583d"


@pytest.fixture
def edited(deliver_event: Callable[..., Response], sample: Callable[[str], dict[str, Any]]) -> Callable[..., Response]:
    """Deliver that the pull request was edited: its base, if nothing else is given."""

    def send(**changes: Any) -> Response:  # noqa: ANN401 - any member
        payload = sample("github/pull_request.edited.json")
        payload["repository"]["id"] = REPOSITORY_ID
        return deliver_event("pull_request", payload | ({"changes": changes} if changes else {}))

    return send


def _row(table: Table) -> dict[str, Any]:
    return dict(table.get_item(Key=session_key(SESSION))["Item"])


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING"])
@pytest.mark.parametrize("base", ["release", "main"])
def test_a_live_session_has_the_base_that_github_has_now(  # noqa: PLR0913, PLR0917 - fixtures
    edited: Callable[..., Response],
    put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    table: Table,
    status: str,
    base: str,
) -> None:
    put_session(SESSION, status=status, base_branch="develop", conflicts=True)
    github_stand_in.base = base  # by now: the delivery says "release"
    for _ in range(2):
        assert edited() == (202, {"session_id": SESSION, "base_branch": base})
    assert (_row(table)["base_branch"], _row(table)["conflicts"]) == (base, False)


def test_a_conflict_with_the_base_that_it_had_all_along_stays_one(
    edited: Callable[..., Response], put_session: Callable[..., None], table: Table
) -> None:
    put_session(SESSION, base_branch="main", conflicts=True)
    edited()
    assert _row(table)["conflicts"]


@pytest.mark.parametrize("changes", [{"title": {"from": "Show"}}, {"body": {"from": "Closes #42"}}])
def test_an_edit_of_its_text_is_no_news_and_asks_github_nothing(
    edited: Callable[..., Response],
    put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    changes: dict[str, Any],
) -> None:
    put_session(SESSION)
    assert edited(**changes) == (200, {"ignored": "the pull request is for the same branch as before"})
    assert github_stand_in.requests == []


@pytest.mark.parametrize("is_known", [True, False])
def test_where_no_session_is_live_there_is_nothing_to_note(
    edited: Callable[..., Response], put_session: Callable[..., None], table: Table, *, is_known: bool
) -> None:
    put_session(SESSION, status="STOPPED", base_branch="main")
    if not is_known:
        table.delete_item(Key=pull_key(REPOSITORY_ID, 43))
    assert edited() == (200, {"ignored": "no live session works on #43"})
    assert _row(table)["base_branch"] == "main"


def test_a_github_that_is_down_is_asked_by_the_redelivery(
    edited: Callable[..., Response], put_session: Callable[..., None], github_stand_in: GitHubStandIn, table: Table
) -> None:
    put_session(SESSION, base_branch="main")
    github_stand_in.base = "release"
    github_stand_in.faults += [("GET", "/pulls/43", 503, False)] * 2
    assert edited()[0] == 503
    assert edited()[0] == 202
    assert _row(table)["base_branch"] == "release"


def test_a_row_that_has_expired_meanwhile_is_not_made_anew(table: Table) -> None:
    SessionsTable(table.name).record_base(SESSION, "release")
    assert "Item" not in table.get_item(Key=session_key(SESSION))
