"""Commands on a session's pull request: what each makes happen to a session that is live, ending, over or to come."""

# ruff: noqa: ARG001, PLR0913, PLR0917 - a fixture is asked for by naming it, and these need several

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.conditions import Key
from tests.kit.sessions import REPOSITORY_ID, a_request

from cloud_agent.adapters.table.accepted_commands import AcceptedCommands
from cloud_agent.adapters.table.keys import commands_key, last_key, lock_key, session_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind, follow_up_id
from cloud_agent.domain.conversation.turn_results import TurnResult
from cloud_agent.domain.session.agents import TriggerLabels
from cloud_agent.domain.session.naming import execution_name, session_id_for
from cloud_agent.domain.session.session import timestamp
from cloud_agent.domain.session.transcript import CommandEvent
from cloud_agent.webhook.decide import decide
from cloud_agent.webhook.decisions import Start

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]
    PutSession = Callable[..., None]

REPO, SESSION = "acme/storefront", "09e22a8b"
NEXT = session_id_for(REPOSITORY_ID, 42, f"after:{SESSION}")
STOPPED = {"status": "STOPPED", "reason": "Stopped by octo-dev."}


@pytest.fixture
def comment(deliver_event: Callable[..., Response], step_functions: StepFunctions) -> Callable[..., Response]:
    """Comment on pull request 43."""

    def send(
        body: str, number: int = 1, *, login: str = "octo-dev", state: str = "open", at: str = "08:00:00"
    ) -> Response:
        written = {"id": number, "node_id": f"IC_{number}", "html_url": f"https://github.com/c/{number}"}
        payload = {
            "action": "created",
            "repository": {"id": 1, "full_name": REPO, "default_branch": "main"},
            "sender": {"login": login, "id": 583231, "type": "User"},
            "installation": {"id": 7},
            "issue": {"number": 43, "state": state, "pull_request": {"url": "u"}},
            "comment": written | {"body": body, "created_at": f"2026-11-22T{at}Z"},
        }
        return deliver_event("issue_comment", payload, f"d-{number}")

    return send


def of_session(table: Table, session_id: str) -> dict[str, dict[str, Any]]:
    items = table.query(KeyConditionExpression=Key("pk").eq(f"SESSION#{session_id}"))["Items"]
    return {str(item["sk"]): item for item in items}


def ending(table: Table) -> Any:  # noqa: ANN401 - whatever is on the row
    return table.get_item(Key=session_key(SESSION))["Item"].get("ending")


def last(table: Table) -> dict[str, Any]:
    return table.get_item(Key=last_key(REPOSITORY_ID, 42))["Item"]


def put_last(table: Table, session_id: str, minutes_ago: float = 0.1, **more: str) -> None:
    moment = timestamp(datetime.now(UTC) - timedelta(minutes=minutes_ago))
    own: dict[str, Any] = {"session_id": session_id, "triggered_at": "2026-11-22T07:30:00.000Z", "requested_at": moment}
    request = a_request(triggered_by="somebody", installation_id=7, **own)
    table.put_item(Item=last_key(REPOSITORY_ID, 42) | request | more)


def a_prompt(body: str, number: int) -> Prompt:
    at = datetime(2026, 11, 22, 7, 0, number, tzinfo=UTC)
    return Prompt(
        id=follow_up_id(PromptKind.COMMENT, number, at),
        kind=PromptKind.COMMENT,
        body=body,
        author="eve",
        url="u",
        created_at=timestamp(at),
    )


def put_turn(table: Table, session_id: str, prompt: Prompt, result: str = "") -> None:
    stored = Prompts(table.name)
    stored.put(session_id, prompt)
    stored.take(session_id, prompt.id)
    if result:
        answer = TurnResult(prompt_id=prompt.id, is_error=False, result=result, created_at="2026-11-22T07:30:00.000Z")
        stored.record_turn_result(session_id, answer)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("/stop", [("stop", "")]),
        ("/restart", [("restart", "")]),
        ("/interrupt\n\nUse another colour", [("interrupt", "")]),
        ("/update\n/status\n/help", [("help", ""), ("status", ""), ("update", "")]),
        ("/model claude-sonnet-5 high", [("model", "claude-sonnet-5 high")]),
        ("/stop\n/interrupt\n/status", [("status", ""), ("stop", "")]),
        ("Stop that, please", []),
    ],
)
def test_the_transcript_is_told_of_each_command_once_with_who_gave_it(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn, body: str, told: list[tuple[str, str]],
) -> None:  # fmt: skip
    put_session()
    comment(body, login="stranger")
    comment(body, number=2)
    comment(body, number=2)
    accepted = AcceptedCommands(table.name).of(SESSION)
    assert [(one.name, one.argument) for one in accepted] == told
    assert {(one.author, one.url) for one in accepted} <= {("octo-dev", "https://github.com/c/2")}


def test_more_commands_than_a_row_takes_are_still_carried_out(table: Table) -> None:
    accepted = AcceptedCommands(table.name)
    event = CommandEvent(
        kind="command", at=timestamp(), prompt_id=None, name="status", author="p", url="https://github.com/c/1"
    )
    accepted.accept(SESSION, "1#issue_comment-1", [event])
    earlier = {f"1#issue_comment-{number}" for number in range(1, 500)}
    table.update_item(
        Key=commands_key(SESSION),
        UpdateExpression="ADD identities :earlier",
        ExpressionAttributeValues={":earlier": earlier},
    )
    for number in (500, 501):
        accepted.accept(SESSION, f"1#issue_comment-{number}", [event])
    assert len(accepted.of(SESSION)) == 2


def test_stop_ends_the_session_with_the_name_of_who_said_it(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session(lifecycle_token="parked")
    assert comment("/stop") == (202, {"session_id": SESSION, "accepted": "/stop"})
    assert step_functions.succeeded == [("parked", STOPPED)]
    assert (ending(table), github_stand_in.eyes) == (STOPPED, ["IC_1"])
    assert github_stand_in.said(43) == [
        "This session is ending: Stopped by octo-dev. Comment `/restart` to start another one.\n"
    ]
    assert len(github_stand_in.requests) == 4  # permission, reaction, whether there's a reply, the reply


@pytest.mark.parametrize("command", ["/stop", "/interrupt"])
def test_a_command_to_a_session_that_is_over_is_answered_in_one_reply(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn, command: str
) -> None:
    put_session(status="FAILED", end_reason="The dev server never answered.")
    assert comment(f"{command}\nAnd do this.\n/help")[0] == 202
    (said,) = github_stand_in.said(43)
    assert github_stand_in.eyes == ["IC_1"]
    assert said.startswith("This session has ended. The dev server never answered. Comment `/restart`")
    assert said.count("has ended") == 1
    assert "| `/stop` |" in said


def test_interrupt_reaches_the_turn_that_runs_and_leaves_the_new_prompt(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    put_turn(table, SESSION, a_prompt("Something long.", 1))
    assert comment("/interrupt\nRather this.", 9) == (202, {"session_id": SESSION, "accepted": "prompt, /interrupt"})
    prompt = follow_up_id(PromptKind.COMMENT, 9, datetime(2026, 11, 22, 8, tzinfo=UTC))
    items = of_session(table, SESSION)
    assert prompt == items["SESSION"]["interrupt_id"]
    assert (items[f"PROMPT#{prompt}"]["body"], items[f"PROMPT#{prompt}"]["state"]) == ("Rather this.", "PENDING")
    assert github_stand_in.comments == []


def test_interrupt_with_nothing_running_interrupts_nothing_and_says_so(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    put_turn(table, SESSION, a_prompt("Done.", 1), "It is done.")
    comment("/interrupt\nRather this.")
    assert "interrupt_id" not in of_session(table, SESSION)["SESSION"]
    assert "nothing to interrupt" in github_stand_in.said(43)[0]


@pytest.mark.parametrize(
    ("response", "reply"),
    [
        ((202, "Updating pull request branch."), "GitHub is merging `main` into this branch. The preview follows."),
        ((422, "There are no new commits on the base branch."), "This branch already has everything from `main`."),
        (
            (403, "Resource not accessible by integration"),
            "This branch wasn't updated. GitHub says: Resource not accessible by integration.",
        ),
    ],
)
def test_update_has_github_merge_the_base_branch_and_costs_no_turn(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    response: tuple[int, str], reply: str,
) -> None:  # fmt: skip
    put_session(conflicts=True, base_branch="main")
    github_stand_in.update = response
    assert comment("/update") == (202, {"session_id": SESSION, "accepted": "/update"})
    items = of_session(table, SESSION)
    assert ([reply + "\n"], {"SESSION", "COMMANDS"}) == (github_stand_in.said(43), set(items))
    assert items["SESSION"]["conflicts"] == (response[0] == 403)
    assert f"PUT /repos/{REPO}/pulls/43/update-branch" in github_stand_in.requests


@pytest.mark.parametrize("more", ["", "\nAnd make it blue."])
def test_what_conflicts_with_the_base_branch_is_claudes_next_prompt(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn, more: str
) -> None:
    put_session(conflicts=True, base_branch="main")
    github_stand_in.update = (422, "merge conflict between base and head")
    comment(f"/update{more}", 9)
    prompt = follow_up_id(PromptKind.COMMENT, 9, datetime(2026, 11, 22, 8, tzinfo=UTC))
    items = of_session(table, SESSION)
    stored = items[f"PROMPT#{prompt}"]
    assert stored["body"].startswith("Bring this branch up to date: merge `github/main` into it")
    assert stored["body"].endswith(more.strip() or "Then check that it does.")
    assert (stored["author"], stored["url"]) == ("octo-dev", "https://github.com/c/9")
    assert items["SESSION"]["conflicts"]
    (said,) = github_stand_in.said(43)
    assert said == "This branch conflicts with `main`. Claude merges it and resolves the conflicts.\n"


@pytest.mark.parametrize("known", ["main", "release"])
@pytest.mark.parametrize("conflicts", [True, False])
def test_update_is_for_the_base_that_the_pull_request_has_now(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    known: str, *, conflicts: bool,
) -> None:  # fmt: skip
    put_session(base_branch=known)
    github_stand_in.base = "release"
    if conflicts:
        github_stand_in.update = (422, "merge conflict between base and head")
    comment("/update")
    items = of_session(table, SESSION)
    (said,) = github_stand_in.said(43)
    assert "`release`" in said
    assert "main" not in said
    assert items["SESSION"]["base_branch"] == "release"
    prompts = [str(item["body"]) for key, item in items.items() if key.startswith("PROMPT#")]
    assert ["merge `github/release` into it" in body for body in prompts] == [True] * conflicts


def test_a_conflict_after_the_end_is_said_with_what_to_do(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(status="STOPPED", end_reason="Stopped by octo-dev.")
    github_stand_in.update = (422, "merge conflict between base and head")
    comment("/update")
    assert "comment `/restart` and `/update`, each on a line of its own" in github_stand_in.said(43)[0]
    assert not any(key.startswith("PROMPT#") for key in of_session(table, SESSION))


def test_status_says_how_the_session_stands(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(
        activity="Edit @eve <b>cart.ts", turns=12, cost_usd=1, comment_id=5, pull_url="https://github.com/acme/p/43"
    )
    put_turn(table, SESSION, a_prompt("Done.", 1), "It is done.")
    put_turn(table, SESSION, a_prompt("Going on.", 2))
    comment("/status\nAnd this.")
    (said,) = github_stand_in.said(43)
    for words in ("is running.", "Turns: 12", "$1.00", "unanswered: 2", "pull/43#issuecomment-5"[4:]):
        assert words in said
    assert "@eve" not in said
    assert "<b>" not in said.replace("\\<b\\>", "")


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"status": "QUEUED"}, "is queued."),
        ({"ending": STOPPED}, "is ending: Stopped by octo-dev."),
        ({"status": "COMPLETED", "end_reason": "The pull request was merged."}, "is completed: The pull request was"),
    ],
)
def test_status_knows_every_state(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn,
    attributes: dict[str, Any], words: str,
) -> None:  # fmt: skip
    put_session(**attributes)
    comment("/STATUS")
    assert words in github_stand_in.said(43)[0]


def test_status_and_help_are_one_reply_and_it_is_not_repeated(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    github_stand_in.faults.append(("POST", "/comments", 0, True))
    assert comment("/help\n/status")[0] == 503
    assert comment("/help\n/status")[0] == 202
    (said,) = github_stand_in.said(43)
    assert said.index("is running") < said.index("| `/help` |")


def test_restart_of_a_live_session_ends_it_and_starts_the_one_that_follows(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session(lifecycle_token="parked")
    assert comment("/restart\nThis time in blue.") == (202, {"session_id": SESSION, "accepted": "prompt, /restart"})
    restarted = {"status": "STOPPED", "reason": "Restarted by octo-dev."}
    assert [("parked", restarted)] == step_functions.succeeded
    request = step_functions.executions[execution_name(REPO, 42, NEXT)]
    issue = github_stand_in.issue or {}
    assert {
        "session_id": NEXT, "repository_id": 1, "repo": REPO,
        "issue_number": 42, "issue_key": "42", "issue_title": issue["title"],
        "issue_url": issue["html_url"], "pull_number": None, "base_branch": "",
        "branch": "claude/42", "default_branch": "main", "installation_id": 7,
        "requested_by": "octo-dev", "agent": "standard", "follows": SESSION, "previous_session_id": SESSION,
        "default_head": None, "similar_branches": [],
        "triggered_by": f"{REPOSITORY_ID}#issue_comment-1", "triggered_at": "2026-11-22T08:00:00.000Z",
        "requested_at": last(table)["requested_at"],
    } == request  # fmt: skip
    assert issue["body"] == of_session(table, NEXT)[f"PROMPT#{INITIAL_PROMPT_ID}"]["body"]
    waiting = [item["body"] for sk, item in of_session(table, SESSION).items() if sk.startswith("PROMPT#")]
    assert waiting == ["This time in blue."]
    assert github_stand_in.comments == []


def test_stop_and_restart_together_are_a_restart(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions
) -> None:
    put_session()
    comment("/stop\n/interrupt\n/restart")
    assert ending(table)["reason"] == "Restarted by octo-dev."
    assert len(step_functions.executions) == 1


def test_restart_of_an_ended_session_goes_on_with_branch_history_and_the_new_prompt(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions
) -> None:
    put_session("aaaa0001", status="FAILED", end_reason="The container ran out of memory")
    put_turn(table, "aaaa0001", a_prompt("The oldest prompt.", 1), "The oldest answer.")
    put_session(status="STOPPED", previous_session_id="aaaa0001")
    put_turn(table, SESSION, a_prompt("An old prompt.", 2), "An old answer.\n/stop ```")
    put_turn(table, SESSION, a_prompt("Never answered.", 3))
    assert comment("/restart\nNow in blue.", 5)[0] == 202
    next_id = session_id_for(REPOSITORY_ID, 42, f"{REPOSITORY_ID}#issue_comment-5")
    request = step_functions.executions[execution_name(REPO, 42, next_id)]
    assert (request["branch"], request["follows"]) == ("claude/42", None)
    assert request["default_head"] == {"sha": "b" * 40, "tree": "e" * 40}
    history = of_session(table, next_id)[f"PROMPT#{INITIAL_PROMPT_ID}"]["history"]
    told = (
        "The oldest prompt.", "The oldest answer.", "Session aaaa0001 ended: failed",
        "The container ran out of memory.", "An old prompt.", "An old answer.", f"Session {SESSION} ended: stopped",
    )  # fmt: skip
    assert sorted(history.index(words) for words in told) == [history.index(words) for words in told]
    assert "Never answered." not in history
    left = [p.body for p in Prompts(table.name).unanswered(SESSION)]
    assert left == ["Never answered.", "Now in blue."]


def test_a_model_is_chosen_within_what_the_deployment_allows(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(model="claude-sonnet-5-5")
    for number, words in enumerate(["claude-opus-5-5 high", "claude-haiku-5-5", "claude-sonnet-5", "", "a b"], 1):
        assert comment(f"/model {words}", number, at=f"0{number}:00:00")[0] == 202
    allowed = "Allowed: `claude-sonnet-5-5`, `claude-sonnet-*`, `claude-opus-*`."
    usage = (
        "The model is `claude-sonnet-5`. To change it, comment `/model NAME` or `/model NAME EFFORT`, where the effort "
        f"is low, medium, high, xhigh or max. {allowed}\n"
    )
    assert github_stand_in.said(43) == [
        "Claude uses `claude-opus-5-5` with high effort on this pull request, from its next turn on.\n",
        f"`claude-haiku-5-5` isn't a model that this deployment allows, so nothing changed. {allowed}\n",
        "Claude uses `claude-sonnet-5` on this pull request, from its next turn on.\n",
        usage,
        usage,
    ]
    assert of_session(table, SESSION)["SESSION"]["chosen_model"] == {
        "model": "claude-sonnet-5",
        "at": "2026-11-22T03:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("provider", "own", "refused", "why", "taken"),
    [
        (
            "bedrock",
            "us.anthropic.claude-sonnet-5-5",
            "claude-opus-5-5",
            (
                "`claude-opus-5-5` isn't an id that Bedrock has for a Claude model, so nothing changed. This "
                "deployment runs its models on Bedrock: name an inference profile, such as "
                "`us.anthropic.claude-sonnet-5-5`.\n"
            ),
            "eu.anthropic.claude-opus-5-5",
        ),
        (
            "anthropic",
            "claude-sonnet-5-5",
            "us.anthropic.claude-opus-5-5",
            (
                "`us.anthropic.claude-opus-5-5` is an id of Bedrock's, so nothing changed. This deployment runs its "
                "models on the Anthropic API: name the id that the model has there, such as `claude-sonnet-5-5`.\n"
            ),
            "claude-opus-5-5",
        ),
    ],
)
def test_a_model_of_another_provider_is_refused_before_a_turn_fails_for_it(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    environment: Callable[..., None], provider: str, own: str, refused: str, why: str, taken: str,
) -> None:  # fmt: skip
    environment(MODEL_PROVIDER=provider, CLAUDE_MODEL=own, ALLOWED_MODELS="*")
    put_session(model=own)
    assert comment(f"/model {refused}", 1, at="01:00:00")[0] == 202
    assert github_stand_in.said(43) == [why]
    assert "chosen_model" not in of_session(table, SESSION)["SESSION"]
    assert comment(f"/model {taken}", 2, at="02:00:00")[0] == 202
    assert of_session(table, SESSION)["SESSION"]["chosen_model"]["model"] == taken


def test_a_model_chosen_after_the_end_is_for_the_next_session(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(status="STOPPED")
    assert comment("/model claude-opus-5-5")[0] == 202
    assert github_stand_in.said(43) == [
        "Claude uses `claude-opus-5-5` on this pull request, from the next session on.\n"
    ]
    assert of_session(table, SESSION)["SESSION"]["chosen_model"]["model"] == "claude-opus-5-5"


def test_a_restart_says_whether_the_issue_is_still_what_the_label_was_added_to(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    sample: Callable[[str], dict[str, Any]],
) -> None:  # fmt: skip
    labelled = decide("issues", "d", sample("github/issues.labeled.json"), TriggerLabels("claude-dev"))
    assert isinstance(labelled, Start)
    put_session(status="STOPPED")
    Prompts(table.name).put(SESSION, labelled.prompt)
    followed, edited, github_stand_in.editor = SESSION, [], "zoe"
    issue = github_stand_in.issue or {}
    for number, change in enumerate([{}, {"body": "Delete it all."}, {}, {"title": "Delete it"}], 1):
        github_stand_in.issue = issue | change | {"updated_at": "2027-01-01T00:00:00Z", "comments": number}
        comment("/restart", number, at=f"0{number}:00:00")
        followed = session_id_for(REPOSITORY_ID, 42, f"{REPOSITORY_ID}#issue_comment-{number}")
        (prompt,) = (p for p in Prompts(table.name).of(followed) if p.id == INITIAL_PROMPT_ID)
        assert (prompt.author, prompt.requested_by) == (issue["user"]["login"], "octo-dev")
        assert prompt.requested_by_id == 583231
        edited.append((prompt.is_edited, prompt.edited_by))
        put_session(followed, status="STOPPED", previous_session_id=SESSION)
    assert edited == [(False, ""), (True, "zoe"), (False, ""), (True, "")]
    assert github_stand_in.requests.count("POST /graphql") == 4 + 4  # the issue, and an eye, for each comment


def test_a_restart_that_failed_halfway_is_completed_by_the_redelivery(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn, without_step_functions: Callable[[], AbstractContextManager[None]],
) -> None:  # fmt: skip
    put_session()
    with without_step_functions(), pytest.raises(Exception, match="Could not connect"):
        comment("/restart")
    put_session(status="STOPPED")  # closed in the meantime
    table.delete_item(Key=lock_key(REPOSITORY_ID, 42))
    assert comment("/restart")[0] == 202
    assert [execution_name(REPO, 42, NEXT)] == list(step_functions.executions)


def test_a_restart_whose_reply_failed_does_not_restart_the_restarted(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session()
    github_stand_in.faults.append(("POST", "/comments", 502, False))
    assert comment("/restart\n/help")[0] == 503
    put_session(NEXT)
    assert comment("/restart\n/help")[0] == 202
    assert [execution_name(REPO, 42, NEXT)] == list(step_functions.executions)
    assert "ending" not in of_session(table, NEXT)["SESSION"]


def test_a_second_restart_while_the_next_session_starts_changes_nothing(
    comment: Callable[..., Response], put_session: PutSession, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session(status="STOPPED")
    comment("/restart", 1)
    comment("/restart", 2)
    assert len(step_functions.executions) == 1
    assert github_stand_in.said(43) == ["The next session on this pull request is already starting.\n"]


def test_two_restarts_at_the_same_moment_start_one_session(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    put_session()
    respond, others = github_stand_in.respond, iter(["bbbb0002"])

    def respond_later(method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        reads_issue = "fragment issue" in body.get("query", "")
        if reads_issue and (other := next(others, None)):  # the other comment's try is done by now
            put_session(status="STOPPED")
            table.delete_item(Key=lock_key(REPOSITORY_ID, 42))
            put_last(table, other, follows=SESSION)
        return respond(method, path, body)

    monkeypatch.setattr(github_stand_in, "respond", respond_later)
    assert comment("/restart")[0] == 202
    assert (last(table)["session_id"], step_functions.executions) == ("bbbb0002", {})
    assert github_stand_in.said(43) == ["The next session on this pull request is already starting.\n"]


def test_a_restart_that_is_overtaken_time_and_again_is_delivered_again(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    put_session(status="STOPPED")
    respond, others = github_stand_in.respond, iter(["bbbb0002", "bbbb0003", "bbbb0004"])

    def respond_later(method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if "fragment issue" in body.get("query", "") and (other := next(others, None)):
            put_last(table, other, minutes_ago=30)  # too long ago to begin still
        return respond(method, path, body)

    monkeypatch.setattr(github_stand_in, "respond", respond_later)
    status, answer = comment("/restart")
    assert (status, step_functions.executions) == (503, {})
    assert "at the same moment. Redeliver this later." in answer["message"]
    assert comment("/restart")[0] == 202
    assert len(step_functions.executions) == 1


def test_a_prompt_between_two_sessions_waits_for_the_next(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(status="STOPPED")
    put_last(table, "bbbb0002")
    assert comment("In blue, please.") == (202, {"session_id": SESSION, "accepted": "prompt"})
    assert [p.body for p in Prompts(table.name).unanswered(SESSION)] == ["In blue, please."]
    assert github_stand_in.comments == []


@pytest.mark.parametrize(("minutes_ago", "more"), [(1.1, {}), (11.1, {"follows": "aaaa0001"})])
def test_a_session_that_never_began_holds_up_nothing(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    minutes_ago: float, more: dict[str, str],
) -> None:  # fmt: skip
    put_session(status="STOPPED")
    put_last(table, "bbbb0002", minutes_ago, **more)
    assert (200, {"ignored": f"session {SESSION} has ended"}) == comment("In blue, please.", 1)
    assert comment("/restart", 2)[0] == 202
    assert len(step_functions.executions) == 1


def test_a_session_that_waits_for_the_one_before_is_still_to_come(
    comment: Callable[..., Response], put_session: PutSession, table: Table
) -> None:
    put_session(ending=STOPPED)
    put_last(table, "bbbb0002", minutes_ago=9, follows=SESSION)
    assert comment("In blue, please.")[0] == 202
    assert [p.body for p in Prompts(table.name).unanswered(SESSION)] == ["In blue, please."]


def test_stop_for_a_session_that_has_not_begun_cancels_it(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session(status="STOPPED")
    put_last(table, "bbbb0002")
    assert comment("/stop") == (202, {"session_id": SESSION, "accepted": "/stop"})
    assert "CANCELLED" in of_session(table, "bbbb0002")
    assert "was about to start on this pull request won't." in github_stand_in.said(43)[0]
    assert step_functions.executions == {}
    assert comment("/restart", 2) == (202, {"session_id": SESSION, "accepted": "/restart"})
    assert len(step_functions.executions) == 1


def test_the_session_that_would_have_followed_and_was_cancelled_is_not_the_one_that_follows_now(
    comment: Callable[..., Response], put_session: PutSession, step_functions: StepFunctions
) -> None:
    put_session(lifecycle_token="parked")
    for number, command in enumerate(["/restart", "/stop", "/restart"], 1):
        assert comment(command, number)[0] == 202
    cancelled, follows = step_functions.executions.values()
    assert cancelled["follows"] == follows["follows"] == SESSION
    assert cancelled["session_id"] != follows["session_id"]


@pytest.mark.parametrize("command", ["/stop", "/restart", "/interrupt"])
def test_a_command_from_before_the_session_was_asked_for_does_nothing_to_it(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions, command: str
) -> None:
    put_session(lifecycle_token="parked")
    put_turn(table, SESSION, a_prompt("Going on.", 2))
    put_last(table, SESSION)
    assert comment(f"{command}\nIn blue.", at="07:29:59") == (202, {"session_id": SESSION, "accepted": "prompt"})
    assert (step_functions.succeeded, step_functions.executions, ending(table)) == ([], {}, None)
    assert "interrupt_id" not in of_session(table, SESSION)["SESSION"]


def test_a_closed_pull_request_is_not_restarted(
    comment: Callable[..., Response], put_session: PutSession, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session(status="STOPPED")
    comment("/restart", state="closed")
    assert "Reopen it" in github_stand_in.said(43)[0]
    assert step_functions.executions == {}


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_closed_issue_is_not_restarted_and_its_session_goes_on(
    comment: Callable[..., Response], put_session: PutSession, table: Table, step_functions: StepFunctions,
    github_stand_in: GitHubStandIn, *, is_gone: bool,
) -> None:  # fmt: skip
    put_session()
    github_stand_in.issue = None if is_gone else (github_stand_in.issue or {}) | {"state": "closed"}
    comment("/restart")
    assert "#42 is closed or deleted" in github_stand_in.said(43)[0]
    assert (step_functions.executions, ending(table)) == ({}, None)


def test_the_history_of_a_chatty_session_is_bounded(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(status="STOPPED")
    (github_stand_in.issue or {})["body"] = "😀" * 65_536
    for number in range(20):
        put_turn(table, SESSION, a_prompt(f"Prompt {number} " + "😀" * 8_000, number), "😀" * 8_000)
    assert comment("/restart", 5)[0] == 202
    next_id = str(last(table)["session_id"])
    history = str(of_session(table, next_id)[f"PROMPT#{INITIAL_PROMPT_ID}"]["history"])
    assert len(history) < 21_000
    assert "Prompt 19 " in history
    assert "Prompt 1 " not in history
    assert "left out" in history


def test_a_command_that_is_none_is_answered_and_starts_no_turn(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    assert comment("/stoop") == (202, {"session_id": SESSION, "accepted": ""})
    assert github_stand_in.said(43) == ["`/stoop` isn't a command, so nothing happened. Did you mean `/stop`?\n"]
    assert (Prompts(table.name).of(SESSION), "ending" in of_session(table, SESSION)["SESSION"]) == ([], False)
    assert comment("/stoop", 2, login="guest")[1]["ignored"].startswith("guest has no write permission")
