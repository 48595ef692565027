"""What was edited or deleted before Claude took it up counts as it is now; what Claude has taken up stays as it was."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it, and these need several

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.conditions import Key

from cloud_agent.adapters.table.prompts import Prompts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]
    PutSession = Callable[..., None]

SESSION = "09e22a8b"
EDITED = (202, {"session_id": SESSION, "accepted": "edit"})
TOO_LATE = (200, {"ignored": "its prompt has been taken up or dropped"})
NOTHING_WAITS = (200, {"ignored": "no prompt is waiting with this text"})
COMMON: dict[str, Any] = {"repository": {"id": 1, "full_name": "acme/storefront", "default_branch": "main"}}


@dataclass
class People:
    """Write, edit and delete on pull request 43."""

    deliver: Callable[..., Response]
    github: GitHubStandIn

    def comment(self, action: str, body: str = "", *, by: str = "octo-dev", author: str = "octo-dev") -> Response:
        """Comment 7, which GitHub has from then on as it is told; its delivery holds another text."""
        document = {
            "id": 7, "node_id": "IC_7", "html_url": "https://github.com/x", "created_at": "2026-11-22T10:00:00Z",
            "user": {"login": author}, "body": body,
        }  # fmt: skip
        self.github.written = {} if action == "deleted" else {7: document}
        payload = COMMON | {
            "action": action,
            "sender": {"login": by, "type": "Bot" if by.endswith("[bot]") else "User"},
            "issue": {"number": 43, "state": "open", "pull_request": {"url": "u"}},
            "comment": document | {"body": body if action == "created" else "A text of before."},
        }
        return self.deliver("issue_comment", payload, f"d-{action}-{body}")

    def review(self, event: str, action: str, comments: dict[int, str], body: str = "Two things:") -> Response:
        """Review 1, which GitHub has with these comments from then on."""
        described: dict[str, Any] = {
            "id": "PRR_1", "fullDatabaseId": "1", "url": "https://github.com/y", "state": "COMMENTED", "body": body,
            "submittedAt": "2026-11-22T10:00:00Z",
            "comments": {
                "nodes": [
                    {
                        "id": f"PRRC_{number}", "fullDatabaseId": str(number), "url": "https://github.com/x",
                        "body": text, "path": "src/cart.ts", "line": number, "originalLine": number,
                        "startLine": None, "diffHunk": "+total", "replyTo": None,
                    }
                    for number, text in comments.items()
                ]
            },
        }  # fmt: skip
        self.github.reviews = dict.fromkeys(("PRR_1", *(f"PRRC_{number}" for number in comments)), described)
        written = {"node_id": "PRR_1" if event == "pull_request_review" else "PRRC_5", "body": "A text of before."}
        payload = COMMON | {
            "action": action,
            "sender": {"login": "octo-dev", "type": "User"},
            "pull_request": {"number": 43, "state": "open"},
            "review": written | {"id": 1, "user": {"login": "octo-dev"}},
            "comment": written | {"id": 5, "user": {"login": "octo-dev"}, "pull_request_review_id": 1},
        }
        return self.deliver(event, payload, f"d-{event}-{action}-{comments}")


@pytest.fixture
def people(
    deliver_event: Callable[..., Response], github_stand_in: GitHubStandIn, step_functions: StepFunctions,
    put_session: PutSession,
) -> People:  # fmt: skip
    put_session(created_at="2026-11-22T09:00:00.000Z")
    return People(deliver_event, github_stand_in)


def prompts(table: Table) -> list[tuple[str, str]]:
    key = Key("pk").eq(f"SESSION#{SESSION}") & Key("sk").begins_with("PROMPT#")
    return [(item["state"], item["body"]) for item in table.query(KeyConditionExpression=key)["Items"]]  # type: ignore[misc]  # as stored


def take(table: Table) -> None:
    store = Prompts(table.name)
    for prompt in store.unanswered(SESSION):
        store.take(SESSION, prompt.id)


def test_an_edited_comment_is_read_as_it_is_now(people: People, table: Table) -> None:
    people.comment("created", "In blue, please.")
    assert people.comment("edited", "In green, please.") == EDITED
    assert prompts(table) == [("PENDING", "In green, please.")]


def test_a_deleted_comment_is_dropped_however_often_it_is_said(people: People, table: Table) -> None:
    people.comment("created", "In blue, please.")
    assert people.comment("deleted") == EDITED
    assert people.comment("deleted") == TOO_LATE
    assert [state for state, _ in prompts(table)] == ["CANCELLED"]


@pytest.mark.parametrize("body", ["Thanks!", "/status", "@octo-dev what do you think?"])
def test_an_edit_that_asks_nothing_any_more_drops_the_prompt_and_carries_out_no_command(
    people: People, table: Table, body: str
) -> None:
    people.comment("created", "In blue, please.")
    assert people.comment("edited", body) == EDITED
    assert [state for state, _ in prompts(table)] == ["CANCELLED"]
    assert people.github.comments == []


def test_what_claude_has_begun_to_work_on_stays_as_it_was(people: People, table: Table) -> None:
    people.comment("created", "In blue, please.")
    take(table)
    assert people.comment("edited", "In green, please.") == TOO_LATE
    assert people.comment("deleted") == TOO_LATE
    assert prompts(table) == [("TAKEN", "In blue, please.")]


def test_an_edit_by_a_bot_does_not_count(people: People, table: Table) -> None:
    people.comment("created", "In blue, please.")
    assert people.comment("edited", "In green, please.", by="format[bot]")[0] == 200
    assert prompts(table) == [("PENDING", "In blue, please.")]


def test_an_edit_by_somebody_who_may_not_write_any_more_does_not_count_but_their_deletion_does(
    people: People, table: Table
) -> None:
    people.comment("created", "In blue, please.")
    people.github.roles = {"octo-dev": "read"}
    assert "no write permission" in people.comment("edited", "In green, please.")[1]["ignored"]
    assert prompts(table) == [("PENDING", "In blue, please.")]
    assert people.comment("deleted") == EDITED


def test_a_colleagues_correction_counts_and_the_prompt_stays_its_authors(people: People, table: Table) -> None:
    people.github.roles["zoe"] = "write"
    people.comment("created", "In bleu, please.")
    assert people.comment("edited", "In blue, please.", by="zoe") == EDITED
    (prompt,) = Prompts(table.name).of(SESSION)
    assert (prompt.body, prompt.author, prompt.requested_by) == ("In blue, please.", "octo-dev", "zoe")
    assert (prompt.is_edited, prompt.edited_by) == (True, "zoe")
    people.comment("edited", "In light blue, please.")
    (prompt,) = Prompts(table.name).of(SESSION)
    assert (prompt.body, prompt.is_edited, prompt.edited_by) == ("In light blue, please.", True, "zoe")


def test_who_adds_a_request_to_their_comment_gets_a_turn(people: People, table: Table) -> None:
    people.comment("created", "Thanks!")
    assert people.comment("edited", "Thanks! Now in green.") == EDITED
    assert prompts(table) == [("PENDING", "Thanks! Now in green.")]
    assert [prompt.node_ids for prompt in Prompts(table.name).of(SESSION)] == [("IC_7",)]


def test_who_corrects_the_text_of_somebody_who_may_not_write_asks_nothing_by_that(people: People, table: Table) -> None:
    people.comment("created", "In blue, please.", by="guest", author="guest")
    assert people.comment("edited", "In blue please.", author="guest") == NOTHING_WAITS
    assert prompts(table) == []


def test_an_edit_of_what_was_written_before_the_session_asks_nothing(
    people: People, table: Table, put_session: PutSession
) -> None:
    put_session(created_at="2026-11-22T11:00:00.000Z")
    assert people.comment("edited", "In green, please.") == NOTHING_WAITS
    assert people.comment("deleted") == NOTHING_WAITS
    assert prompts(table) == []


def test_deliveries_in_the_wrong_order_come_to_the_same(people: People, table: Table) -> None:
    assert people.comment("edited", "In green, please.") == EDITED
    people.comment("created", "In blue, please.")
    assert prompts(table) == [("PENDING", "In green, please.")]


def test_a_comment_that_was_deleted_before_its_delivery_came_is_no_prompt(people: People, table: Table) -> None:
    people.comment("deleted")
    people.comment("created", "In blue, please.")
    assert [state for state, _ in prompts(table)] == ["CANCELLED"]


@pytest.mark.parametrize("event", ["pull_request_review", "pull_request_review_comment"])
def test_an_edited_review_is_read_as_it_is_now(people: People, table: Table, event: str) -> None:
    people.review("pull_request_review", "submitted", {5: "Round it.", 6: "Sort it."})
    assert people.review(event, "edited", {5: "Round it up.", 6: "Sort it."}) == EDITED
    ((state, body),) = prompts(table)
    assert (state, "Round it up." in body, "Sort it." in body) == ("PENDING", True, True)


def test_a_reviews_deleted_comment_is_no_part_of_it_any_more(people: People, table: Table) -> None:
    people.review("pull_request_review", "submitted", {5: "Round it.", 6: "Sort it."})
    assert people.review("pull_request_review_comment", "deleted", {6: "Sort it."}) == EDITED
    ((_, body),) = prompts(table)
    assert "Round it." not in body
    people.github.reviews = {}
    payload_of_a_review_that_is_gone = people.review("pull_request_review_comment", "deleted", {}, body="")
    assert payload_of_a_review_that_is_gone == EDITED
    assert [state for state, _ in prompts(table)] == ["CANCELLED"]


def test_a_part_of_a_long_review_that_is_deleted_is_dropped(people: People, table: Table) -> None:
    people.review("pull_request_review", "submitted", {number: f"{number}!" for number in range(5, 26)})
    assert [state for state, _ in prompts(table)] == ["PENDING", "PENDING"]
    assert people.review(
        "pull_request_review_comment", "deleted", {number: f"{number}!" for number in range(6, 26)}
    ) == EDITED  # fmt: skip
    assert [state for state, _ in prompts(table)] == ["PENDING", "CANCELLED"]
