"""A repository that was renamed or transferred: its sessions go on, and another one under its old name has none."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent.adapters.table.keys import session_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]
    Deliver = Callable[..., Response]
    PutSession = Callable[..., None]

SESSION, OLD, NEW = "09e22a8b", "acme/storefront", "octo-dev/shop"
WRITTEN = {"node_id": "IC_1", "html_url": "https://github.com/x", "created_at": "2026-11-22T08:00:00Z"}


@pytest.fixture
def deliver(deliver_event: Deliver, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]) -> Deliver:
    """Send what people do in a repository of this number and name."""

    def send(what: str, repository_id: int = 1, name: str = NEW, body: str = "In blue.", **more: Any) -> Response:  # noqa: ANN401 - as GitHub has it
        at_home = {
            "repository": {"id": repository_id, "full_name": name, "default_branch": "main"},
            "sender": {"login": "octo-dev", "type": "User"},
            **more,
        }
        commented = {"issue": {"number": 43, "state": "open", "pull_request": {"url": "u"}}}
        merged = {"number": 43, "merged": True, "closed_at": "2026-11-23T10:00:00Z"}
        match what:
            case "comment":
                payload = {"action": "created", "comment": WRITTEN | {"id": 5, "body": body}, **commented}
                return deliver_event("issue_comment", payload | at_home)
            case "label":
                return deliver_event("issues", sample("github/issues.labeled.json") | at_home)
            case _:
                return deliver_event("pull_request", {"action": "closed", "pull_request": merged, **at_home})

    return send


def row(table: Table) -> dict[str, Any]:
    return table.get_item(Key=session_key(SESSION))["Item"]


def test_a_comment_reaches_the_session_and_its_row_has_the_new_name_and_installation(
    deliver: Deliver, put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(SESSION, installation_id=99)
    assert deliver("comment", installation={"id": 7}) == (202, {"session_id": SESSION, "accepted": "prompt"})
    assert (row(table)["repo"], row(table)["installation_id"]) == (NEW, 7)
    assert all(request.startswith((f"GET /repos/{NEW}/", "POST /graphql")) for request in github_stand_in.requests)


def test_a_delivery_without_an_installation_leaves_the_one_that_is_known(
    deliver: Deliver, put_session: PutSession, table: Table
) -> None:
    put_session(SESSION, installation_id=99)
    deliver("merge")
    assert (row(table)["repo"], row(table)["installation_id"]) == (NEW, 99)


def test_a_merge_ends_the_session(deliver: Deliver, put_session: PutSession) -> None:
    put_session(SESSION)
    assert deliver("merge") == (202, {"session_id": SESSION, "ending": "The pull request was merged."})


def test_an_issue_has_one_live_session_whatever_the_repositorys_name(
    deliver: Deliver, put_session: PutSession, step_functions: StepFunctions
) -> None:
    put_session(SESSION)
    assert deliver("label") == (200, {"ignored": f"#42 already has the live session {SESSION}"})
    assert step_functions.executions == {}


def test_another_repository_under_the_old_name_has_no_session(
    deliver: Deliver, put_session: PutSession, table: Table, step_functions: StepFunctions
) -> None:
    put_session(SESSION)
    before = row(table)
    assert deliver("comment", 2, OLD) == (200, {"ignored": "#43 has no session"})
    assert deliver("merge", 2, OLD) == (200, {"ignored": "there is no live session to end"})
    assert deliver("label", 2, OLD)[0] == 202
    assert [execution["repository_id"] for execution in step_functions.executions.values()] == [2]
    assert before == row(table)
