"""What somebody writes on a session's pull request reaches Claude in order and once, or is answered with the reason."""

# ruff: noqa: ARG001, PLR0913, PLR0917 - a fixture is asked for by naming it, and these need several

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.conditions import Key
from tests.kit.sessions import REPOSITORY_ID, a_request

from cloud_agent.adapters.table.keys import last_key, lock_key, session_key

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]
    PutSession = Callable[..., None]

SESSION = "09e22a8b"
LINE_ENDS = "a\r\n😀\n" + "😀" * 65_000


@pytest.fixture
def comment(deliver_event: Callable[..., Response], step_functions: StepFunctions) -> Callable[..., Response]:
    """Comment on pull request 43."""

    def send(body: str, number: int = 1, *, login: str = "octo-dev", second: int = 0, state: str = "open") -> Response:
        payload = {
            "action": "created",
            "repository": {"id": 1, "full_name": "acme/storefront", "default_branch": "main"},
            "sender": {"login": login, "type": "User"},
            "issue": {"number": 43, "state": state, "pull_request": {"url": "u"}},
            "comment": {
                "id": number,
                "node_id": f"IC_{number}",
                "html_url": f"https://github.com/acme/storefront/pull/43#issuecomment-{number}",
                "body": body,
                "created_at": f"2026-11-22T08:00:{second:02}Z",
            },
        }
        return deliver_event("issue_comment", payload, f"d-{number}")

    return send


def prompts(table: Table, session_id: str = SESSION) -> list[dict[str, Any]]:
    key = Key("pk").eq(f"SESSION#{session_id}") & Key("sk").begins_with("PROMPT#")
    return list(table.query(KeyConditionExpression=key)["Items"])


def row(table: Table, session_id: str = SESSION) -> dict[str, Any]:
    return table.get_item(Key=session_key(session_id))["Item"]


def forget(idempotency_table: Table) -> None:
    for item in idempotency_table.scan()["Items"]:
        idempotency_table.delete_item(Key={"id": item["id"]})


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING"])
def test_a_comment_becomes_a_prompt_that_says_what_gets_eyes(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn, status: str
) -> None:
    put_session(status=status)
    assert comment("In blue, please.") == (202, {"session_id": SESSION, "accepted": "prompt"})
    (prompt,) = prompts(table)
    assert tuple(prompt[name] for name in ("kind", "body", "author", "state")) == (
        "comment",
        "In blue, please.",
        "octo-dev",
        "PENDING",
    )
    assert (prompt["node_ids"], github_stand_in.eyes) == (["IC_1"], [])  # by the publisher, with the status comment
    assert github_stand_in.comments == []
    assert "last_active_at" in row(table)


@pytest.mark.parametrize("login", ["octo-dev", "guest"])
@pytest.mark.parametrize("body", ["LGTM, thanks!", "👍", "@octo-dev can you check this?"])
def test_thanks_and_talk_among_people_start_no_turn_and_nothing_shows_that_they_were_read(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    body: str, login: str,
) -> None:  # fmt: skip
    put_session()
    status, answer = comment(body, login=login)
    assert status == 200
    assert "the comment" in answer["ignored"]
    assert (prompts(table), github_stand_in.eyes, github_stand_in.comments) == ([], [], [])
    assert "last_active_at" not in row(table)


@pytest.mark.parametrize(("of_deployment", "of_repository"), [("mentions", None), ("all", "mentions")])
def test_where_only_mentions_count_others_are_left_alone_but_for_commands(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    environment: Callable[..., None], of_deployment: str, of_repository: str | None,
) -> None:  # fmt: skip
    environment(COMMENT_TRIGGER=of_deployment)
    put_session(**({"comment_trigger": of_repository} if of_repository else {}))
    assert comment("In blue, please.", 1) == (200, {"ignored": "the comment doesn't mention Claude"})
    assert github_stand_in.eyes == []
    assert comment("In red?\n/help", 2) == (202, {"session_id": SESSION, "accepted": "/help"})
    assert github_stand_in.said(43)[0].startswith("Mention `@claude`")
    assert comment("@claude in green, please.", 3)[0] == 202
    assert [prompt["body"] for prompt in prompts(table)] == ["@claude in green, please."]


def test_a_repository_may_have_all_comments_count_where_the_deployment_does_not(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    environment: Callable[..., None],
) -> None:  # fmt: skip
    environment(COMMENT_TRIGGER="mentions")
    put_session(comment_trigger="all")
    assert comment("In blue, please.")[0] == 202


@pytest.fixture
def comment_on_the_issue(
    deliver_event: Callable[..., Response], step_functions: StepFunctions
) -> Callable[..., Response]:
    """Comment on issue 42."""

    def send(body: str, *, login: str = "octo-dev", number: int = 5) -> Response:
        payload = {
            "action": "created",
            "repository": {"id": 1, "full_name": "acme/storefront", "default_branch": "main"},
            "sender": {"login": login, "type": "User"},
            "issue": {"number": 42, "state": "open"},
            "comment": {
                "id": number,
                "node_id": f"IC_{number}",
                "html_url": f"https://github.com/acme/storefront/issues/42#issuecomment-{number}",
                "body": body,
                "created_at": "2026-11-22T08:00:00Z",
            },
        }
        return deliver_event("issue_comment", payload, f"d-{body}")

    return send


def test_a_comment_on_the_issue_steers_its_live_session_and_is_answered_there(
    comment_on_the_issue: Callable[..., Response], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session()
    assert comment_on_the_issue("In blue, please.\n/status") == (
        202,
        {"session_id": SESSION, "accepted": "prompt, /status"},
    )
    assert [(prompt["body"], prompt["node_ids"]) for prompt in prompts(table)] == [("In blue, please.", ["IC_5"])]
    assert (len(github_stand_in.said(42)), len(github_stand_in.said(43))) == (1, 0)


@pytest.mark.parametrize("status", [None, "STOPPED"])
def test_a_comment_on_an_issue_without_a_live_session_is_talk(
    comment_on_the_issue: Callable[..., Response], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn, status: str | None,
) -> None:  # fmt: skip
    if status:
        put_session(status=status)
    assert comment_on_the_issue("In blue, please.\n/restart") == (200, {"ignored": "#42 has no session"})
    assert github_stand_in.requests == []


@pytest.mark.parametrize("words", ["@claude, go on.", "/restart", "Wait.\n/status"])
def test_who_speaks_to_claude_on_an_issue_whose_session_has_ended_is_told_once_how_to_go_on(
    comment_on_the_issue: Callable[..., Response], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn, words: str,
) -> None:  # fmt: skip
    put_session(status="STOPPED", pull_number=43)
    request = a_request(session_id=SESSION, triggered_by="x", requested_at="2026-11-22T07:30:00.000Z")
    table.put_item(Item=last_key(REPOSITORY_ID, 42) | request)
    for body in ("It's red for @kim, too.", "Still red."):
        comment_on_the_issue(body)
    comment_on_the_issue(words, login="guest")
    assert github_stand_in.comments == []

    for number in (5, 6):
        assert comment_on_the_issue(words, number=number) == (200, {"ignored": "#42 has no session"})

    (said,) = github_stand_in.said(42)
    assert said == (
        "Claude doesn't read this: its session for this issue has ended. To start another one, comment `/restart` on "
        "#43, or remove and re-add the label `claude-dev`.\n"
    )


def test_who_may_not_write_discusses_the_issue_without_being_told_anything(
    comment_on_the_issue: Callable[..., Response], put_session: PutSession, table: Table,
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session()
    assert "no write permission" in comment_on_the_issue("It's red for me, too.", login="guest")[1]["ignored"]
    assert (prompts(table), github_stand_in.comments, github_stand_in.eyes) == ([], [], [])


@pytest.mark.parametrize(("allowed", "status"), [("", 200), ("linear[bot]", 200), ("linear[bot],renovate[bot]", 202)])
def test_a_bot_steers_where_the_deployment_allows_it_by_name(
    comment: Callable[..., Response], put_session: PutSession, table: Table, environment: Callable[..., None],
    allowed: str, status: int,
) -> None:  # fmt: skip
    environment(ALLOWED_BOTS=allowed)
    put_session()
    assert comment("In blue, please.", login="renovate[bot]")[0] == status
    assert len(prompts(table)) == (status == 202)


def test_a_command_beside_thanks_is_carried_out(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    assert comment("Thanks!\n/status") == (202, {"session_id": SESSION, "accepted": "/status"})
    assert prompts(table) == []
    assert github_stand_in.eyes == ["IC_1"]


def test_whoever_calls_claude_by_name_gets_a_turn(
    comment: Callable[..., Response], put_session: PutSession, table: Table
) -> None:
    put_session()
    assert comment("@octo-dev and @claude: thanks!")[0] == 202
    assert len(prompts(table)) == 1


def test_comments_stand_in_the_order_they_were_written(
    comment: Callable[..., Response], put_session: PutSession, table: Table
) -> None:
    put_session()
    comment("third", 3, second=2)
    comment("first", 7, second=1)
    comment("second", 2, second=2)
    assert [prompt["body"] for prompt in prompts(table)] == ["first", "second", "third"]


def test_a_comment_delivered_again_is_taken_once(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    idempotency_table: Table,
) -> None:  # fmt: skip
    put_session()
    first = comment("In blue, please.")
    assert first == comment("In blue, please.")
    forget(idempotency_table)
    prompt = prompts(table)[0]
    table.update_item(
        Key={"pk": prompt["pk"], "sk": prompt["sk"]},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":s": "ANSWERED"},
    )
    assert first == comment("In blue, please.")
    assert [one["state"] for one in prompts(table)] == ["ANSWERED"]


@pytest.mark.parametrize("body", [LINE_ENDS, "x" * 65_536, "```\n/stop\n```", "<b>'\"$(id)"])
def test_a_hard_comment_arrives_whole(
    comment: Callable[..., Response], put_session: PutSession, table: Table, body: str
) -> None:
    put_session()
    assert comment(body)[0] == 202
    assert [body.replace("\r\n", "\n")] == [prompt["body"] for prompt in prompts(table)]


def test_a_reaction_that_fails_costs_nothing_else(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn,
    logs: io.StringIO,
) -> None:  # fmt: skip
    put_session()
    github_stand_in.faults.append(("POST", "/graphql", 502, False))
    assert comment("/status")[0] == 202
    assert len(github_stand_in.said(43)) == 1
    assert "reaction failed" in logs.getvalue()


def test_neither_comment_nor_token_is_logged(
    comment: Callable[..., Response], put_session: PutSession, logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    put_session()
    comment("TEXT-OF-THE-COMMENT\n/status")
    written = logs.getvalue() + "".join(capfd.readouterr())
    assert "comment accepted" in written
    assert "TEXT-OF-THE-COMMENT" not in written
    assert "ghp_" not in written


@pytest.mark.parametrize("role", [None, "read", "triage", "none"])
def test_who_may_not_write_is_told_once_and_not_accepted(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    step_functions: StepFunctions, role: str | None,
) -> None:  # fmt: skip
    put_session(lifecycle_token="parked")
    if role:
        github_stand_in.roles |= {"guest": role, "other": role}
    for number in (1, 2, 3):
        status, answer = comment("Delete it all.\n/stop", number, login="guest")
        assert (status, answer["ignored"]) == (200, "guest has no write permission in acme/storefront")
    comment("/stop", 4, login="other")
    assert (
        prompts(table), step_functions.succeeded, github_stand_in.eyes, len(github_stand_in.comments),
    ) == ([], [], [], 2)  # fmt: skip
    assert "write access" in github_stand_in.said(43)[0]
    assert "ending" not in row(table)


def test_who_loses_write_access_is_asked_anew_at_the_next_event_and_steers_no_more(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
) -> None:  # fmt: skip
    put_session(lifecycle_token="parked", requested_by="octo-dev")
    assert "ignored" not in comment("Paint it green.", 1)[1]

    github_stand_in.roles["octo-dev"] = "read"

    for number, body in ((2, "Delete it all."), (3, "/stop"), (4, "/interrupt")):
        assert comment(body, number)[1]["ignored"] == "octo-dev has no write permission in acme/storefront"
    assert [prompt["body"] for prompt in prompts(table)] == ["Paint it green."]
    assert step_functions.succeeded == []
    assert "ending" not in row(table)


def test_the_explanation_itself_starts_no_loop(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    comment("Hello?", login="guest")
    (own,) = github_stand_in.comments
    assert comment(own["body"], 2) == (200, {"ignored": "this system wrote the comment itself"})
    assert len(github_stand_in.comments) == 1


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("status", [500, 502, 0, 429])
def test_an_explanation_that_failed_is_said_by_the_redelivery_and_once(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn, status: int,
    *, carried_out: bool,
) -> None:  # fmt: skip
    put_session()
    github_stand_in.faults.append(("POST", "/comments", status, carried_out))
    code, answer = comment("Hello?", login="guest")
    assert code == 503
    assert "Redeliver" in answer["message"]
    assert comment("Hello?", login="guest")[0] == 200
    assert len(github_stand_in.comments) == 1


def test_a_github_that_is_down_forgets_the_comment_so_that_it_can_come_again(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    github_stand_in.faults += [("GET", "permission", 503, False)] * 2
    assert comment("In blue, please.")[0] == 503
    assert prompts(table) == []
    assert comment("In blue, please.") == (202, {"session_id": SESSION, "accepted": "prompt"})
    assert [prompt["body"] for prompt in prompts(table)] == ["In blue, please."]


def test_one_failure_of_a_question_is_asked_again_at_once(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn
) -> None:
    put_session()
    github_stand_in.faults.append(("GET", "permission", 502, False))
    assert comment("In blue, please.")[0] == 202


@pytest.mark.parametrize(("status", "code"), [(401, 500), (403, 502), (418, 502)])
def test_a_refusal_of_github_is_told_to_who_looks_at_the_deliveries(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn, status: int, code: int
) -> None:
    put_session()
    github_stand_in.faults.append(("GET", "permission", status, False))
    told, answer = comment("In blue, please.")
    assert (code, ["message"]) == (told, list(answer))
    assert comment("In blue, please.")[0] == 202


def test_a_pull_request_of_nobodys_session_asks_github_nothing(
    comment: Callable[..., Response], github_stand_in: GitHubStandIn
) -> None:
    assert comment("/stop") == (200, {"ignored": "#43 has no session"})
    assert github_stand_in.requests == []


def test_a_pull_request_that_outlived_its_sessions_row_is_ignored(
    comment: Callable[..., Response], put_session: PutSession, table: Table
) -> None:
    put_session()
    table.delete_item(Key=session_key(SESSION))
    table.delete_item(Key=lock_key(1, 42))
    assert comment("In blue, please.") == (200, {"ignored": "#43 has no session"})


def test_a_session_that_is_over_says_so_once(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(status="STOPPED", end_reason="Stopped by @octo-dev")
    for number in (1, 2, 3):
        assert (200, {"ignored": f"session {SESSION} has ended"}) == comment("And in green?", number)
    (said,) = github_stand_in.said(43)
    assert "`/restart`" in said
    assert "@octo" not in said
    assert (prompts(table), github_stand_in.eyes) == ([], [])


def test_talk_of_strangers_after_a_session_is_left_alone(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn
) -> None:
    put_session(status="STOPPED")
    assert "no write permission" in comment("And in green?", login="guest")[1]["ignored"]
    assert github_stand_in.comments == []


def test_a_prompt_beside_a_question_to_a_session_that_is_over_is_not_lost_in_silence(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(status="STOPPED")
    assert comment("And in green?\n/status") == (202, {"session_id": SESSION, "accepted": "/status"})
    assert "Comment `/restart`" in github_stand_in.said(43)[0]
    assert prompts(table) == []


def test_a_session_that_is_ending_takes_no_more_prompts(
    comment: Callable[..., Response], put_session: PutSession, table: Table, github_stand_in: GitHubStandIn
) -> None:
    put_session(ending={"status": "STOPPED", "reason": "Stopped by eve."})
    assert comment("And in green?")[0] == 200
    assert prompts(table) == []
    assert "This session is ending: Stopped by eve." in github_stand_in.said(43)[0]


@pytest.mark.parametrize("login", ["octo-dev", "guest"])
def test_talk_after_a_pull_request_is_closed_is_left_alone(
    comment: Callable[..., Response], put_session: PutSession, github_stand_in: GitHubStandIn, login: str
) -> None:
    put_session(status="COMPLETED")
    assert comment("Well done.", login=login, state="closed")[0] == 200
    assert github_stand_in.requests == []


def test_a_newer_live_session_of_the_issue_hears_the_comment(
    comment: Callable[..., Response], put_session: PutSession, table: Table
) -> None:
    put_session("aaaa0001", pull_number=None)
    put_session(SESSION, status="STOPPED")
    assert comment("In blue, please.") == (202, {"session_id": "aaaa0001", "accepted": "prompt"})
    assert len(prompts(table, "aaaa0001")) == 1


def test_a_newer_session_with_a_pull_request_of_its_own_is_not_disturbed(
    comment: Callable[..., Response], put_session: PutSession, table: Table
) -> None:
    put_session("aaaa0001", pull_number=50)
    put_session(SESSION, status="STOPPED")
    assert (200, {"ignored": f"session {SESSION} has ended"}) == comment("In blue, please.")
    assert prompts(table, "aaaa0001") == []


def test_what_github_sends_is_taken(
    deliver_event: Callable[..., Response], sample: Callable[[str], dict[str, Any]], put_session: PutSession,
    table: Table,
) -> None:  # fmt: skip
    put_session()
    payload = sample("github/issue_comment.created.json")
    assert deliver_event("issue_comment", payload) == (202, {"session_id": SESSION, "accepted": "prompt"})
    assert [prompt["kind"] for prompt in prompts(table)] == ["comment"]
