"""The staging agent's label: a session of that agent, one live session an issue, and each label ends its own."""

# ruff: noqa: ARG001, PLR0913, PLR0917 - a fixture is asked for by naming it, and these need several

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID

from cloud_agent.adapters.table.keys import cancelled_key, last_key
from cloud_agent.domain.session.naming import execution_name, session_id_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]
    Send = Callable[..., Response]

REPO, SESSION = "acme/storefront", "09e22a8b"
USUAL, STAGING = "claude-dev", "claude-dev-staging"
NEXT = session_id_for(REPOSITORY_ID, 42, f"after:{SESSION}")
NEXT_NAME = execution_name(REPO, 42, NEXT)
ENDING = {"status": "STOPPED", "reason": "Stopped by octo-dev."}


@pytest.fixture(autouse=True)
def _staging(environment: Callable[..., None], github_stand_in: GitHubStandIn, step_functions: StepFunctions) -> None:
    environment(STAGING_TRIGGER_LABEL=STAGING)
    github_stand_in.issue = (github_stand_in.issue or {}) | {"labels": [{"name": USUAL}, {"name": STAGING}]}


@pytest.fixture
def send(deliver_event: Callable[..., Response], sample: Callable[[str], dict[str, Any]]) -> Send:
    """Put a label on issue 42, or take it off."""

    def labeled(
        action: str, label: str, delivery: str = "d-1", *, login: str = "octo-dev", at: str = "08:00:00"
    ) -> Response:
        payload = sample(f"github/issues.{action}.json")
        payload["label"]["name"] = label
        payload["sender"]["login"] = login
        payload["issue"]["updated_at"] = f"2026-11-22T{at}Z"
        return deliver_event("issues", payload, delivery)

    return labeled


@pytest.fixture
def restart(deliver_event: Callable[..., Response]) -> Callable[[], Response]:
    """Comment /restart on pull request 43."""

    def comment() -> Response:
        payload = {
            "action": "created",
            "repository": {"id": 1, "full_name": REPO, "default_branch": "main"},
            "sender": {"login": "octo-dev", "type": "User"},
            "issue": {"number": 43, "state": "open", "pull_request": {"url": "u"}},
            "comment": {
                "id": 1,
                "node_id": "IC_1",
                "html_url": "https://github.com/c/1",
                "body": "/restart",
                "created_at": "2026-11-22T08:00:00Z",
            },
        }
        return deliver_event("issue_comment", payload, "c-1")

    return comment


def agents(step_functions: StepFunctions) -> list[str]:
    return [execution["agent"] for execution in step_functions.executions.values()]


@pytest.mark.parametrize(("label", "agent"), [(USUAL, "standard"), (STAGING, "staging")])
def test_a_label_starts_a_session_of_its_own_agent(
    send: Send, step_functions: StepFunctions, label: str, agent: str
) -> None:
    assert send("labeled", label)[0] == 202
    assert [agent] == agents(step_functions)


def test_the_label_that_asked_is_the_one_that_has_to_be_there_still(
    send: Send, github_stand_in: GitHubStandIn, step_functions: StepFunctions
) -> None:
    github_stand_in.issue = (github_stand_in.issue or {}) | {"labels": [{"name": USUAL}]}
    assert send("labeled", STAGING) == (200, {"ignored": "#42 is not open with the label any more"})
    assert step_functions.executions == {}


def test_who_may_not_write_is_told_of_the_label_that_they_put_there(send: Send, github_stand_in: GitHubStandIn) -> None:
    send("labeled", STAGING, login="guest")
    assert f"added the label `{STAGING}`" in github_stand_in.said(42)[0]


@pytest.mark.parametrize(("agent", "its_label", "other"), [("standard", USUAL, STAGING), ("staging", STAGING, USUAL)])
def test_the_other_agents_label_on_an_issue_with_a_live_session_is_told_so_once(
    send: Send, put_session: Callable[..., None], github_stand_in: GitHubStandIn, step_functions: StepFunctions,
    agent: str, its_label: str, other: str,
) -> None:  # fmt: skip
    put_session(agent=agent)
    for delivery in ("d-1", "d-1", "d-2"):
        ignored = {"ignored": f"#42 already has the live session {SESSION}"}
        assert (200, ignored) == send("labeled", other, delivery)
    (said,) = github_stand_in.said(42)
    assert f"The label `{other}` started nothing" in said
    assert f"`{its_label}` is still running on #43" in said
    assert f"re-add `{other}`" in said
    assert step_functions.executions == {}


def test_a_label_of_the_same_agent_on_an_issue_with_a_live_session_needs_no_words(
    send: Send, put_session: Callable[..., None], github_stand_in: GitHubStandIn
) -> None:
    put_session(agent="staging")
    assert send("labeled", STAGING)[0] == 200
    assert github_stand_in.comments == []


@pytest.mark.parametrize(("agent", "its_label", "other"), [("standard", USUAL, STAGING), ("staging", STAGING, USUAL)])
def test_a_label_that_is_taken_off_ends_only_the_session_that_it_started(
    send: Send, put_session: Callable[..., None], github_stand_in: GitHubStandIn, step_functions: StepFunctions,
    agent: str, its_label: str, other: str,
) -> None:  # fmt: skip
    put_session(agent=agent, lifecycle_token="parked")
    github_stand_in.issue = (github_stand_in.issue or {}) | {"labels": []}
    refused = {"ignored": f"session {SESSION} was started by another label"}
    assert (200, refused) == send("unlabeled", other, "d-1")
    assert step_functions.succeeded == []
    reason = f"The label {its_label} was removed from the issue."
    assert (202, {"session_id": SESSION, "ending": reason}) == send("unlabeled", its_label, "d-2")
    assert [("parked", {"status": "STOPPED", "reason": reason})] == step_functions.succeeded


def test_a_label_that_is_taken_off_cancels_only_the_session_that_it_asked_for(send: Send, table: Table) -> None:
    session_id = send("labeled", STAGING)[1]["session_id"]
    assert send("unlabeled", USUAL, "d-2", at="08:00:01") == (200, {"ignored": "there is no live session to end"})
    assert "Item" not in table.get_item(Key=cancelled_key(session_id))
    assert session_id == send("unlabeled", STAGING, "d-3", at="08:00:01")[1]["session_id"]
    assert "Item" in table.get_item(Key=cancelled_key(session_id))


def test_the_other_agents_label_does_not_make_a_late_end_of_the_live_session_out_of_date(
    send: Send, put_session: Callable[..., None]
) -> None:
    put_session(send("labeled", USUAL, "d-1")[1]["session_id"])
    send("labeled", STAGING, "d-2", at="08:30:01")
    assert send("unlabeled", USUAL, "d-3", at="08:30:00")[0] == 202


def test_the_other_agents_label_while_a_session_ends_starts_the_next_with_that_agent(
    send: Send, put_session: Callable[..., None], step_functions: StepFunctions
) -> None:
    put_session(ending=ENDING)
    assert send("labeled", STAGING) == (202, {"session_id": NEXT})
    assert (agents(step_functions), [step_functions.executions[NEXT_NAME]["follows"]]) == (["staging"], [SESSION])


def test_of_two_labels_while_a_session_ends_the_first_chooses_the_agent_and_the_second_ends_nothing(
    send: Send, put_session: Callable[..., None], step_functions: StepFunctions, idempotency_table: Table, table: Table
) -> None:
    put_session(ending=ENDING)
    for delivery, label in (("d-1", STAGING), ("d-2", USUAL), ("d-2", USUAL)):
        assert send("labeled", label, delivery) == (202, {"session_id": NEXT})
        for row in idempotency_table.scan()["Items"]:  # its answer was lost
            idempotency_table.delete_item(Key={"id": row["id"]})
        assert agents(step_functions) == ["staging"]
        assert table.get_item(Key=last_key(REPOSITORY_ID, 42))["Item"]["agent"] == "staging"
    cancelled = cancelled_key(NEXT)
    send("unlabeled", USUAL, "d-3", at="09:00:00")
    assert "Item" not in table.get_item(Key=cancelled)
    send("unlabeled", STAGING, "d-4", at="09:00:00")
    assert "Item" in table.get_item(Key=cancelled)


def test_restart_keeps_the_agent(
    restart: Callable[[], Response], put_session: Callable[..., None], step_functions: StepFunctions
) -> None:
    put_session(agent="staging")
    assert restart()[0] == 202
    assert agents(step_functions) == ["staging"]


def test_restart_goes_on_with_the_usual_agent_where_the_staging_agent_has_been_removed(
    restart: Callable[[], Response], put_session: Callable[..., None], step_functions: StepFunctions,
    environment: Callable[..., None],
) -> None:  # fmt: skip
    environment(STAGING_TRIGGER_LABEL="")
    put_session(agent="staging")
    assert restart()[0] == 202
    assert agents(step_functions) == ["standard"]
