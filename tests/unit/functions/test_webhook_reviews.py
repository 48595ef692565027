"""A review of a session's pull request is one prompt, in whichever order and how often GitHub sends its events."""

# ruff: noqa: ARG001, PLR0913, PLR0917 - a fixture is asked for by naming it, and these need several

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.conditions import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]
    PutSession = Callable[..., None]

SESSION = "09e22a8b"
ACCEPTED = (202, {"session_id": SESSION, "accepted": "prompt"})
EVENTS = ("PRR_1", "PRRC_5", "PRRC_6")  # by what each is about


@pytest.fixture
def review(github_stand_in: GitHubStandIn) -> dict[str, Any]:
    """A review with a text and two comments, on GitHub."""
    comment = {
        "url": "https://github.com/x", "path": "src/cart.ts", "line": 12, "originalLine": 10, "startLine": None,
        "diffHunk": "@@ -1 +1 @@\n+total", "replyTo": None,
    }  # fmt: skip
    comments = [
        comment | {"id": "PRRC_5", "fullDatabaseId": "5", "body": "Round it."},
        comment | {"id": "PRRC_6", "fullDatabaseId": "6", "body": "Sort it."},
    ]
    described: dict[str, Any] = {
        "id": "PRR_1", "fullDatabaseId": "1", "url": "https://github.com/y", "state": "CHANGES_REQUESTED",
        "body": "Not yet.", "submittedAt": "2026-11-22T07:58:12Z",
        "comments": {"nodes": comments},
    }  # fmt: skip
    github_stand_in.reviews |= dict.fromkeys(EVENTS, described)
    return described


@pytest.fixture
def deliver(
    deliver_event: Callable[..., Response], sample: Callable[[str], dict[str, Any]], step_functions: StepFunctions
) -> Callable[..., Response]:
    """Deliver one of the review's events, by the global id of what it's about."""

    def send(node_id: str) -> Response:
        kind = "pull_request_review" if node_id.startswith("PRR_") else "pull_request_review_comment"
        action = "submitted" if kind == "pull_request_review" else "created"
        payload = sample(f"github/{kind}.{action}.json")
        payload["review" if kind == "pull_request_review" else "comment"]["node_id"] = node_id
        return deliver_event(kind, payload, f"d-{node_id}")

    return send


def prompts(table: Table) -> list[dict[str, Any]]:
    key = Key("pk").eq(f"SESSION#{SESSION}") & Key("sk").begins_with("PROMPT#")
    return list(table.query(KeyConditionExpression=key)["Items"])


@pytest.mark.parametrize("order", list(itertools.permutations(EVENTS)), ids="-".join)
def test_its_events_come_to_one_prompt_in_any_order(
    deliver: Callable[..., Response], review: dict[str, Any], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn, order: tuple[str, ...],
) -> None:  # fmt: skip
    put_session()
    assert [deliver(node_id) for node_id in order] == [ACCEPTED] * 3
    (prompt,) = prompts(table)
    assert prompt["kind"] == "review"
    assert [thread["comment_id"] for thread in prompt["threads"]] == [5, 6]
    assert sorted(prompt["node_ids"]) == sorted(EVENTS)
    assert github_stand_in.requests.count("POST /graphql") == 1


def test_a_try_that_failed_is_made_again_by_the_next_event(
    deliver: Callable[..., Response], review: dict[str, Any], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session()
    github_stand_in.faults += [("POST", "/graphql", 502, False)] * 2  # a query is sent again
    assert deliver("PRR_1")[0] == 503
    assert deliver("PRRC_5") == ACCEPTED
    assert len(prompts(table)) == 1


def test_every_page_of_its_comments_is_read(
    deliver: Callable[..., Response], review: dict[str, Any], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session()
    github_stand_in.page_size = 1
    assert deliver("PRR_1") == ACCEPTED
    (prompt,) = prompts(table)
    assert len(prompt["threads"]) == 2


def test_a_review_that_is_gone_is_ignored(
    deliver: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    assert deliver("PRR_1") == (200, {"ignored": "review 1 is gone"})


def test_a_review_elsewhere_is_not_even_read(
    deliver: Callable[..., Response], review: dict[str, Any], table: Table, github_stand_in: GitHubStandIn
) -> None:
    assert deliver("PRR_1") == (200, {"ignored": "#43 has no session"})
    assert github_stand_in.requests == []


def test_a_review_by_somebody_who_may_not_write_is_no_prompt(
    deliver: Callable[..., Response], review: dict[str, Any], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session()
    github_stand_in.roles = {}
    assert [deliver(node_id)[0] for node_id in EVENTS] == [200] * 3
    assert prompts(table) == []
    assert len(github_stand_in.comments) == 1
