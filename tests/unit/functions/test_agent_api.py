"""The Agent API: a token opens its own live session and nothing else."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.kit.agent_api_contract import AgentApiContract
from tests.kit.app_key import app_key_pem
from tests.kit.http_server import Request, Response, serve_http
from tests.kit.sessions import SAMPLED_SESSION, SAMPLED_TOKEN, a_row

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import session_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.session_tasks import SessionTasks
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.agent_api.handler import handler
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind, PromptState
from cloud_agent.domain.policy.failures import readable_reason
from cloud_agent.domain.session.agent_task import AgentTask
from cloud_agent.domain.session.model_choice import ModelChoice
from cloud_agent.domain.session.session import timestamp

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.service_resource import Bucket
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.conftest import Context

    Call = Callable[..., tuple[int, dict[str, Any]]]

ID, OTHER = SAMPLED_SESSION, "0badcafe"
TOKEN = SAMPLED_TOKEN
OTHER_TOKEN = TOKEN.replace(ID, OTHER)
TASK_TOKEN = "AQCMAAAAKgAAAAMAAAAA-sample-task-token"
PROMPT = "0" * 26
NOTHING_ASKED = {
    "interrupt": None,
    "branch_sha": None,
    "base_branch": "",
    "model": None,
    "effort": None,
    "app": None,
    "session_url": f"https://{ID}.uat.example.com",
    "is_watched": False,
}
REFUSED = (401, {"message": "The bearer token opens no session."})
ROUTES = [
    "ready",
    "heartbeat",
    "preview",
    "prompts",
    "progress_turn_started",
    "progress_tool_used",
    "progress_turn_finished",
    "git_read_token",
    "git_token",
    "attachments",
    "environment",
    "restore_dependencies",
    "save_dependencies",
    "restore_unpublished",
    "save_unpublished",
    "report_unpublished",
    "transcript",
    "done",
]
# What a container may still say when its session was asked to end, or has just ended.
LAST_WORDS = {"transcript", "save_unpublished", "report_unpublished"}
FOLLOW_UPS = ["01K0M1Z0000000000000000001", "01K0M1Z0000000000000000002"]


def _put(table: Table, session_id: str = ID, token: str = TOKEN, **attributes: Any) -> None:  # noqa: ANN401 - a row's values
    own = {
        "installation_id": 99,
        "token_hash": hashlib.sha256(token.encode()).hexdigest(),
        "execution_arn": f"arn:aws:states:us-east-1:123456789012:execution:test-session:{session_id}",
    }
    table.put_item(Item=a_row(session_id, **own | attributes))


def _ask(
    table: Table,
    prompt_id: str = PROMPT,
    session_id: str = ID,
    title: str = "",
    body: str = "Please.",
    **beside: Any,  # noqa: ANN401 - what stands beside an issue
) -> None:
    prompt = Prompt(
        id=prompt_id,
        kind=PromptKind.ISSUE if prompt_id == PROMPT else PromptKind.COMMENT,
        title=title,
        body=body,
        author="octo-dev",
        url="https://github.com/acme/storefront/issues/42",
        created_at="2026-11-22T08:00:00.000Z",
        comment_id=None if prompt_id == PROMPT else 7,
        **beside,
    )
    Prompts(table.name).put(session_id, prompt)


def _states(table: Table, session_id: str = ID) -> list[PromptState]:
    return [prompt.state for prompt in Prompts(table.name).of(session_id)]


def _row(table: Table, session_id: str = ID) -> dict[str, Any]:
    return dict(table.get_item(Key=session_key(session_id))["Item"])


@pytest.fixture
def call(  # noqa: PLR0913, PLR0917 - everything that the function meets
    environment: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
    step_functions: StepFunctions,
    table: Table,
    context: Context,
    put_secret: Callable[..., str],
    bucket: Bucket,
) -> Call:
    """Send a sample of events/agent_api/, with changes, for a session that runs; returns status and body.

    Whatever is responded has to be what the contract promises.
    """
    _put(table)
    contract = AgentApiContract()
    for name in ("STRIPE_KEY", "DATABASE_URL"):
        put_secret(f"value of {name}", f"claude-cloud-agent/acme/storefront/{name}")

    def send(
        name: str,
        body: object = None,
        *,
        authorization: str | None = f"Bearer {TOKEN}",
        headers: dict[str, str] | None = None,
        **event_changes: object,
    ) -> tuple[int, dict[str, Any]]:
        event = sample(f"agent_api/{name}.json")
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        del event["headers"]["authorization"]
        if authorization is not None:
            event["headers"]["authorization"] = authorization
        event["headers"] |= headers or {}
        event |= event_changes
        response = handler(event, context)
        status, method = int(response["statusCode"]), event["requestContext"]["http"]["method"]
        body_sent = str.encode(response["body"])  # a string, whatever the status
        assert contract.objections_to_response(method, event["rawPath"], status, body_sent) == []
        etag = response.get("headers", {}).get("ETag")
        return status, json.loads(body_sent or "{}") | ({"etag": etag} if etag and headers is not None else {})

    return send


@pytest.fixture
def reads(table: Table) -> Iterator[list[str]]:
    """What the function reads of the table, by DynamoDB's operations, as it happens."""
    found: list[str] = []
    events = clients.table(table.name).meta.client.meta.events
    note = lambda model, **_: found.append(model.name)  # noqa: E731 - botocore wants the same object again
    events.register("before-call.dynamodb.*", note)
    yield found
    events.unregister("before-call.dynamodb.*", note)


def _body(sample: Callable[[str], dict[str, Any]], name: str, **changes: object) -> dict[str, Any]:
    return dict(json.loads(sample(f"agent_api/{name}.json")["body"])) | changes


@pytest.mark.parametrize("route", ROUTES)
def test_every_sample_is_answered(call: Call, route: str) -> None:
    assert call(route)[0] == 200


@pytest.mark.parametrize("route", ROUTES)
def test_every_token_that_opens_nothing_is_answered_alike(call: Call, route: str) -> None:
    for authorization in (
        None,
        "",
        "Bearer",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}0",
        f"Bearer {TOKEN[:-1]}1",
        f"Bearer {OTHER_TOKEN}",  # of the form of a token, for a session that does not exist
        f"Bearer {ID}.{'x' * 200}",
        "Bearer ../../x.aaaaaaaaaaaaaaaa",
    ):
        assert call(route, authorization=authorization) == REFUSED, authorization


def test_a_guesser_is_told_no_more_of_a_bad_body_or_an_ended_session(call: Call, table: Table) -> None:
    assert call("ready", "{", authorization=f"Bearer {TOKEN}0") == REFUSED
    _put(table, status="COMPLETED")
    assert call("ready", authorization=f"Bearer {TOKEN}0") == REFUSED


def test_the_rows_hash_opens_nothing(call: Call, table: Table) -> None:
    assert call("ready", authorization=f"Bearer {ID}.{_row(table)['token_hash']}") == REFUSED


def test_another_sessions_token_opens_that_session_alone(call: Call, table: Table) -> None:
    _put(table, OTHER, OTHER_TOKEN)
    _ask(table, session_id=OTHER, title="other")
    before = _row(table)
    status, answer = call("prompts", authorization=f"Bearer {OTHER_TOKEN}")
    assert (status, [prompt["title"] for prompt in answer["prompts"]]) == (200, ["other"])
    assert call("progress_tool_used", authorization=f"Bearer {OTHER_TOKEN}") == (200, {})
    assert before == _row(table)
    assert _row(table, OTHER)["activity"] == "Edit src/cart.py"


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED", "FAILED"])
def test_an_ended_session_tells_its_container_to_stop(
    call: Call, table: Table, step_functions: StepFunctions, status: str
) -> None:
    _put(table, status=status, end_reason="The pull request was closed.")
    for route in ROUTES:
        assert (409, {"message": f"Session {ID} has ended: The pull request was closed."}) == call(route), route
    assert (step_functions.succeeded, step_functions.failed, step_functions.heartbeats) == ([], [], [])


def test_a_session_that_is_asked_to_end_tells_its_container_to_stop(
    call: Call, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, status="STARTING", ending={"status": "STOPPED", "reason": "The issue was closed."})
    for route in set(ROUTES) - LAST_WORDS:
        assert (409, {"message": f"Session {ID} is ending: The issue was closed."}) == call(route), route
    assert step_functions.succeeded == []


def test_the_first_heartbeat_leaves_the_token_by_which_a_start_can_be_ended(call: Call, table: Table) -> None:
    call("heartbeat")
    assert "start_token" not in _row(table)
    _put(table, status="STARTING")
    call("heartbeat")
    assert _row(table)["start_token"] == TASK_TOKEN


def test_ready_ends_the_first_wait_with_the_port(call: Call, table: Table, step_functions: StepFunctions) -> None:
    _put(table, status="STARTING")
    assert call("ready") == (200, {})
    assert step_functions.succeeded == [(TASK_TOKEN, {"port": 3000})]


def test_ready_said_twice_counts_once(call: Call, step_functions: StepFunctions) -> None:
    assert call("ready") == (200, {})
    step_functions.late[TASK_TOKEN] = "TaskTimedOut"
    assert call("ready") == (200, {})
    assert len(step_functions.succeeded) == 1


def test_a_heartbeat_keeps_the_wait_that_the_execution_is_in(
    call: Call, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, status="STARTING")
    assert call("heartbeat") == (
        200,
        {"status": "STARTING", "prompts": [], **NOTHING_ASKED},
    )
    _put(table, lifecycle_token="second")
    assert call("heartbeat") == (
        200,
        {"status": "RUNNING", "prompts": [], **NOTHING_ASKED},
    )
    assert step_functions.heartbeats == [TASK_TOKEN, "second"]


def test_a_heartbeat_between_the_two_waits_is_harmless(call: Call, step_functions: StepFunctions) -> None:
    step_functions.late[TASK_TOKEN] = "TaskDoesNotExist"
    assert call("heartbeat")[0] == 200


def test_a_heartbeat_returns_what_is_asked_as_well(call: Call, table: Table) -> None:
    _put(table, interrupt_id=FOLLOW_UPS[0])
    _ask(table)
    heartbeat, prompts = call("heartbeat")[1], call("prompts")[1]
    assert heartbeat == {"status": "RUNNING"} | prompts
    assert [prompt["id"] for prompt in heartbeat["prompts"]] == [PROMPT]


@pytest.mark.parametrize("status", ["STARTING", "RUNNING"])
def test_how_the_preview_is_stands_on_the_row_and_is_no_activity(call: Call, table: Table, status: str) -> None:
    _put(table, status=status)
    assert call("preview") == (200, {})
    row = _row(table)
    assert row["preview"] == {
        "state": "failed",
        "detail": "`flask run` ended 3 times before it responded",
        "log": "SyntaxError: invalid syntax (app.py, line 12)",
    }
    assert "last_active_at" not in row
    assert call("preview", {"state": "live"}) == (200, {})
    assert _row(table)["preview"] == {"state": "live", "detail": "", "log": ""}


def test_the_name_that_a_dev_server_takes_applies_from_then_on(call: Call, table: Table) -> None:
    _put(table, host_header="localhost")
    assert call("preview", {"state": "live", "host_header": "127.0.0.1"}) == (200, {})
    assert (_row(table)["host_header"], _row(table)["preview"]["state"]) == ("127.0.0.1", "live")
    assert call("preview", {"state": "starting"}) == (200, {})
    assert _row(table)["host_header"] == "127.0.0.1"
    assert call("preview", {"state": "live", "host_header": "evil.example"})[0] == 400


def test_the_port_that_a_preview_is_moved_to_is_kept_until_it_is_not(call: Call, table: Table) -> None:
    _put(table, port=3000)
    assert call("preview", {"state": "live", "port": 23300}) == (200, {})
    assert (_row(table)["port"], _row(table)["preview_port"]) == (3000, 23300)
    for port in (22, 65_536, "23300", 23300.5):
        assert call("preview", {"state": "live", "port": port})[0] == 400
    assert call("preview", {"state": "starting"}) == (200, {})
    assert "preview_port" not in _row(table)


def test_a_log_that_is_too_long_is_refused_by_name(call: Call, table: Table) -> None:
    status, answer = call("preview", {"state": "failed", "log": "x" * 4_001})
    assert status == 400
    assert "log" in answer["message"]
    assert "preview" not in _row(table)


@pytest.mark.parametrize("status", ["QUEUED", "STARTING"])
def test_no_prompt_is_shown_before_the_session_runs(call: Call, table: Table, status: str) -> None:
    _ask(table)
    _put(table, status=status)
    assert call("prompts") == (
        200,
        {"prompts": [], **NOTHING_ASKED},
    )


def test_a_prompt_is_shown_as_it_was_written_and_no_more_of_it(call: Call, table: Table) -> None:
    body = "b" * 60_000 + '😀"\u0001' * 1_000
    remark = {"author": "zoe", "created_at": "c", "url": "u", "body": "Blue.", "place": "app.py, line 3"}
    mentioned = ["#7 (open): A dark mode"]
    _ask(
        table,
        title="Show the total",
        body=body,
        labels=["ui"],
        discussion=[remark],
        mentioned=mentioned,
        history="What was before.",
        requested_by_id=7,
    )
    status, answer = call("prompts")
    assert status == 200
    assert [
        {
            "id": PROMPT,
            "kind": "issue",
            "title": "Show the total",
            "body": body,
            "author": "octo-dev",
            "requested_by": "",
            "url": "https://github.com/acme/storefront/issues/42",
            "created_at": "2026-11-22T08:00:00.000Z",
            "left_out": [],
            "is_edited": False,
            "edited_by": "",
            "threads": 0,
            "labels": ["ui"],
            "discussion": [remark],
            "mentioned": mentioned,
            "history": "What was before.",
            "requested_by_id": 7,
            "has_attachments": False,
        }
    ] == answer["prompts"]


def test_the_issue_comes_with_the_rules_that_claude_has_to_keep_to(call: Call, table: Table) -> None:
    _put(table, branch_rules=[{"type": "required_linear_history"}])
    _ask(table, body="Show it.")
    (issue,) = call("prompts")[1]["prompts"]
    assert issue["body"].startswith("Show it.\n\n## The repository's rules for this branch\n")
    assert "must not contain merge commits" in issue["body"]


def test_every_prompt_is_shown_in_order_until_it_is_answered(
    call: Call, table: Table, sample: Callable[[str], dict[str, Any]]
) -> None:
    for prompt_id in reversed([PROMPT, *FOLLOW_UPS]):
        _ask(table, prompt_id)

    def shown() -> list[str]:
        return [prompt["id"] for prompt in call("prompts")[1]["prompts"]]

    assert [PROMPT, *FOLLOW_UPS] == shown()
    call("progress_turn_started")
    assert [PROMPT, *FOLLOW_UPS] == shown()  # an agent that starts anew finds what it had begun
    call("progress_turn_finished")
    assert shown() == FOLLOW_UPS
    for prompt_id in FOLLOW_UPS:
        call("progress_turn_finished", _body(sample, "progress_turn_finished", prompt_id=prompt_id))
    assert shown() == []


def test_the_latest_request_to_interrupt_is_shown_with_the_prompts(call: Call, table: Table) -> None:
    assert call("prompts")[1]["interrupt"] is None
    _put(table, interrupt_id=FOLLOW_UPS[0])
    assert FOLLOW_UPS[0] == call("prompts")[1]["interrupt"]


def test_who_has_what_is_asked_is_told_so_without_a_list(call: Call, table: Table, reads: list[str]) -> None:
    _ask(table)
    etag = call("prompts", headers={})[1]["etag"]
    reads.clear()
    assert call("prompts", headers={"if-none-match": etag}) == (304, {"etag": etag})
    assert reads == ["GetItem"]


@pytest.mark.parametrize("news", ["prompt", "edit", "answer", "base", "interrupt", "model", "viewer", "running"])
def test_whatever_is_news_to_the_agent_is_listed_at_once(
    call: Call, table: Table, news: str, sample: Callable[[str], dict[str, Any]]
) -> None:
    _put(table, status="STARTING" if news == "running" else "RUNNING")
    _ask(table)
    etag = call("prompts", headers={})[1]["etag"]
    follow_up = Prompts(table.name).of(ID)[0].model_copy(update={"id": FOLLOW_UPS[0], "kind": PromptKind.COMMENT})
    match news:
        case "prompt":
            assert Prompts(table.name).add(ID, follow_up)
        case "edit":
            assert Prompts(table.name).replace(
                ID, Prompts(table.name).of(ID)[0].model_copy(update={"body": "In green."})
            )
        case "answer":
            call("progress_turn_finished", _body(sample, "progress_turn_finished"))
        case "model":
            SessionsTable(table.name).choose_model(
                ID, ModelChoice(model="claude-opus-5-5", at="2026-11-22T08:00:00.000Z")
            )
        case "base":
            SessionsTable(table.name).record_base(ID, 'größe/"2"')
        case "interrupt":
            assert SessionsTable(table.name).request_interrupt(ID, FOLLOW_UPS[0])
        case "viewer":
            SessionsTable(table.name).record(ID, last_watched_at=timestamp())
        case _:
            task = AgentTask(taskArn="task", version=1, createdAt=datetime.now(UTC), lastStatus="RUNNING")
            assert SessionTasks(table.name).mark_running(ID, task, 3000)
    status, answer = call("prompts", headers={"if-none-match": etag})
    assert status == 200
    assert answer["etag"] != etag


@pytest.mark.parametrize(("seconds_ago", "is_watched"), [(None, False), (80, True), (100, False)])
def test_the_agent_is_told_whether_somebody_has_the_page_open(
    call: Call, table: Table, seconds_ago: int | None, is_watched: object
) -> None:
    if seconds_ago is not None:
        _put(table, last_watched_at=timestamp(datetime.now(UTC) - timedelta(seconds=seconds_ago)))
    assert call("prompts")[1]["is_watched"] is is_watched
    assert call("heartbeat")[1]["is_watched"] is is_watched


def test_more_prompts_than_an_answer_holds_come_after_the_first_are_answered(
    call: Call, table: Table, sample: Callable[[str], dict[str, Any]]
) -> None:
    ids = [f"01K0M1Z00000000000000000{number:02}" for number in range(20)]
    for prompt_id in ids:
        _ask(table, prompt_id, body="x" * 65_536)
    seen: list[str] = []
    while answered := [prompt["id"] for prompt in call("prompts")[1]["prompts"]]:
        seen += answered
        for prompt_id in answered:
            call("progress_turn_finished", _body(sample, "progress_turn_finished", prompt_id=prompt_id))
    assert ids == seen


def test_a_turn_takes_its_prompt_and_answers_it(
    call: Call, table: Table, sample: Callable[[str], dict[str, Any]]
) -> None:
    _ask(table)
    assert call("progress_turn_started") == (200, {})
    assert (_row(table)["activity"], _states(table)) == ("turn_started", [PromptState.TAKEN])
    assert call("progress_turn_finished", _body(sample, "progress_turn_finished", interrupted=True)) == (200, {})
    row = _row(table)
    assert (7, Decimal("0.1834"), "turn_finished") == (row["turns"], row["cost_usd"], row["activity"])
    assert row["reported_head_sha"] == "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d"
    assert "last_result" not in row
    assert _states(table) == [PromptState.ANSWERED]
    (answer,) = Prompts(table.name).turn_results_of(ID)
    assert (answer.result, answer.is_error, answer.interrupted) == ("The cart shows its total.", False, True)


def test_a_report_made_twice_changes_nothing(call: Call, table: Table, sample: Callable[[str], dict[str, Any]]) -> None:
    _ask(table)
    call("progress_turn_started")
    call("progress_turn_finished")
    row, answers = _row(table), Prompts(table.name).turn_results_of(ID)
    assert call("progress_turn_finished", _body(sample, "progress_turn_finished", result="Another.")) == (200, {})
    assert call("progress_turn_started") == (200, {})
    assert answers == Prompts(table.name).turn_results_of(ID)
    assert _states(table) == [PromptState.ANSWERED]
    changed = {name for name, value in _row(table).items() if value != row[name]}
    assert changed <= {"last_active_at"}


def test_what_a_turn_has_cost_is_counted_once_and_without_what_came_before(
    call: Call, table: Table, sample: Callable[[str], dict[str, Any]], measured: Callable[..., list[list[float]]]
) -> None:
    _ask(table)
    _put(table, cost_usd=Decimal("0.1"))
    call("progress_turn_finished")
    assert measured("CostUsd") == [[0.0834]]
    call("progress_turn_finished")
    assert measured("CostUsd") == [[0.0]]
    call("progress_turn_finished", _body(sample, "progress_turn_finished", cost_usd=0.05))  # an agent that lost count
    assert measured("CostUsd") == [[0.0]]
    call("progress_tool_used")
    assert measured("CostUsd") == [[]]


def test_what_the_last_turn_of_a_session_that_is_to_end_has_cost_is_counted(
    call: Call, table: Table, measured: Callable[..., list[list[float]]]
) -> None:
    _put(table, ending={"status": "STOPPED", "reason": "The issue was closed."})
    assert call("progress_turn_finished")[0] == 409
    assert measured("CostUsd") == [[0.1834]]


def test_a_prompt_that_nobody_wrote_is_neither_taken_nor_answered(call: Call, table: Table) -> None:
    assert call("progress_turn_started") == (200, {})
    assert call("progress_turn_finished") == (200, {})
    assert (_states(table), Prompts(table.name).turn_results_of(ID)) == ([], [])


def test_activity_takes_back_the_warning_of_an_idle_end(call: Call, table: Table) -> None:
    _put(table, idle_ends_at="2026-11-22T09:00:00.000Z")
    call("progress_tool_used")
    assert "idle_ends_at" not in _row(table)


def test_the_answer_of_a_turn_that_ends_with_its_session_is_kept(call: Call, table: Table) -> None:
    _ask(table)
    _put(table, ending={"status": "STOPPED", "reason": "The issue was closed."})
    assert call("progress_turn_finished")[0] == 409
    assert _states(table) == [PromptState.ANSWERED]
    assert _row(table)["turns"] == 7


def test_nothing_else_is_noted_of_a_session_that_is_asked_to_end(call: Call, table: Table) -> None:
    _ask(table)
    _put(table, ending={"status": "STOPPED", "reason": "The issue was closed."})
    before = _row(table)
    assert call("progress_turn_started")[0] == 409
    assert call("progress_tool_used")[0] == 409
    assert (before, [PromptState.PENDING]) == (_row(table), _states(table))


@pytest.mark.parametrize(
    ("row", "report", "reason"),
    [
        ({}, {"cost_usd": 10.02}, "The session's budget of $10.00 is used up ($10.02 spent)."),
        ({}, {"turns": 200}, "The session's limit of 200 turns is used up (200 taken)."),
        ({"max_turns": 7}, {}, "The session's limit of 7 turns is used up (7 taken)."),
        (
            {"budget_usd": Decimal("0.10")},
            {},
            "The session's budget of $0.10 is used up ($0.18 spent).",
        ),
    ],
)
def test_a_session_whose_means_are_used_up_ends_with_its_answer_kept(  # noqa: PLR0913, PLR0917 - a case and its surroundings
    call: Call,
    table: Table,
    step_functions: StepFunctions,
    sample: Callable[[str], dict[str, Any]],
    row: dict[str, Any],
    report: dict[str, Any],
    reason: str,
) -> None:
    _ask(table)
    _put(table, lifecycle_token="second", **row)
    assert call("progress_turn_finished", _body(sample, "progress_turn_finished", **report)) == (200, {})
    assert [("second", {"status": "STOPPED", "reason": reason})] == step_functions.succeeded
    assert len(Prompts(table.name).turn_results_of(ID)) == 1
    assert (409, {"message": f"Session {ID} is ending: {reason}"}) == call("heartbeat")


def test_a_session_with_means_left_goes_on(call: Call, table: Table, step_functions: StepFunctions) -> None:
    _put(table, lifecycle_token="second", max_turns=8, budget_usd=Decimal("0.19"))
    assert call("progress_turn_finished") == (200, {})
    assert "ending" not in _row(table)
    assert step_functions.succeeded == []


def test_an_end_whose_execution_could_not_be_told_is_noted_for_the_reconciler(
    call: Call, table: Table, step_functions: StepFunctions
) -> None:
    _ask(table)
    _put(table, lifecycle_token="second", max_turns=7)
    step_functions.late["second"] = "AccessDeniedException"
    with pytest.raises(ClientError):
        call("progress_turn_finished")
    assert _row(table)["ending"]["status"] == "STOPPED"
    assert len(Prompts(table.name).turn_results_of(ID)) == 1
    assert call("progress_turn_finished")[0] == 409


def test_ready_leaves_the_limits_that_hold(call: Call, table: Table, sample: Callable[[str], dict[str, Any]]) -> None:
    _put(table, status="STARTING")
    limits = {"idle_minutes": 1_440, "max_turns": None, "budget_usd": 0.5, "ready_for_review": False}
    assert call("ready", _body(sample, "ready", limits=limits)) == (200, {})
    row = _row(table)
    assert (60, 200, Decimal("0.5"), False) == (
        row["idle_minutes"],
        row["max_turns"],
        row["budget_usd"],
        row["ready_for_review"],
    )


@pytest.mark.parametrize(
    ("said", "expected"), [({}, "localhost"), *(({"host_header": n}, n) for n in ("localhost", "public"))]
)
def test_ready_leaves_the_name_that_the_dev_server_is_called_by(
    call: Call, table: Table, sample: Callable[[str], dict[str, Any]], said: dict[str, str], expected: str
) -> None:
    _put(table, status="STARTING")
    body = _body(sample, "ready")
    del body["host_header"]
    assert call("ready", body | said) == (200, {})
    assert expected == _row(table)["host_header"]


@pytest.mark.parametrize("said", [{}, {"has_workspace_user": True}], ids=["an old agent", "an agent"])
def test_ready_leaves_whether_the_repositorys_code_has_a_user_of_its_own(
    call: Call, table: Table, sample: Callable[[str], dict[str, Any]], said: dict[str, bool]
) -> None:
    _put(table, status="STARTING")
    body = _body(sample, "ready")
    body.pop("has_workspace_user", None)
    assert call("ready", body | said) == (200, {})
    assert _row(table)["has_workspace_user"] is bool(said)


def test_ready_said_again_changes_no_limit(call: Call, table: Table, sample: Callable[[str], dict[str, Any]]) -> None:
    _put(table, idle_minutes=5, max_turns=3, budget_usd=Decimal(1), ready_for_review=False, host_header="localhost")
    before = _row(table)
    assert call("ready", _body(sample, "ready", limits={}, host_header="public")) == (200, {})
    assert before == _row(table)


def test_the_environment_holds_the_secrets_of_the_sessions_own_repository(call: Call) -> None:
    expected = {"STRIPE_KEY": "value of STRIPE_KEY", "DATABASE_URL": "value of DATABASE_URL"}
    assert (200, {"values": expected}) == call("environment")
    assert call("environment", {"names": []}) == (200, {"values": {}})


def test_each_secret_that_is_missing_is_named_with_what_to_do(call: Call, put_secret: Callable[..., str]) -> None:
    put_secret("another repository's", "claude-cloud-agent/acme/backoffice/ADMIN_KEY")
    status, answer = call("environment", {"names": ["STRIPE_KEY", "ADMIN_KEY", "MAIL_KEY"]})
    assert status == 400
    assert (
        "claude-cloud-agent/acme/storefront/ADMIN_KEY, claude-cloud-agent/acme/storefront/MAIL_KEY" in answer["message"]
    )
    assert "aws secretsmanager create-secret" in answer["message"]
    assert "STRIPE_KEY" not in answer["message"]
    assert {"message"} == set(answer)


@pytest.mark.parametrize(
    ("route", "body", "member"),
    [
        ("ready", {"task_token": "t", "port": 80}, "port"),
        ("ready", {"port": 3000}, "task_token"),
        ("ready", {"task_token": "t", "port": 3000, "ip": "10.0.0.1"}, "ip"),
        ("heartbeat", {}, "task_token"),
        ("progress_turn_started", {"event": "turn_paused"}, "event"),
        ("progress_turn_finished", {"event": "turn_finished", "turns": -1}, "turns"),
        ("done", {"task_token": "t", "outcome": "failed", "error": "States.ALL", "message": ""}, "error"),
        ("environment", {"names": ["../backoffice/ADMIN_KEY"]}, "names"),
        ("environment", {"names": ["KEY"] * 51}, "names"),
        ("done", "", "task_token"),
        ("done", "[1]", "object"),
        ("done", "{", "Invalid JSON"),
        ("done", '{"task_token": "\\ud800"}', "Invalid JSON"),
        ("done", "[" * 100_000, "Invalid JSON"),
    ],
)
def test_a_body_out_of_bounds_is_a_bad_request_that_names_the_member(
    call: Call, step_functions: StepFunctions, route: str, body: object, member: str
) -> None:
    status, answer = call(route, body)
    assert status == 400
    assert answer["message"].startswith("The request body is not as expected: ")
    assert member in answer["message"]
    assert step_functions.succeeded + step_functions.failed == []


@pytest.mark.parametrize("route", ["git_read_token", "git_token"])
def test_a_personal_token_is_handed_out_for_git(call: Call, route: str) -> None:
    status, answer = call(route)
    assert (status, answer["username"], answer["token"]) == (200, "x-access-token", "ghp_a-personal-token")
    assert answer["expires_at"].endswith("Z")
    assert answer["revocation_url"] is None


def test_a_token_that_only_reads_is_handed_out_again_and_never_to_be_revoked(
    call: Call,
    environment: Callable[..., None],
    put_secret: Callable[..., str],
    table: Table,
    new_worker: Callable[[], None],
) -> None:
    _put(table, installation_id=99)
    app = put_secret(json.dumps({"app_id": "527117", "private_key": app_key_pem()}), "app")
    in_an_hour = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    with serve_http(Response.of({"token": "ghs_reads", "expires_at": in_an_hour}, 201)) as github:
        environment(GITHUB_API_URL=github.url, GITHUB_SECRET_ARN=app, ALLOW_WORKFLOW_CHANGES="true")
        answers = []
        for _ in range(2):
            answers.append(call("git_read_token")[1])
            new_worker()
    assert [(answer["token"], answer["revocation_url"]) for answer in answers] == [("ghs_reads", None)] * 2
    assert [request.json()["permissions"] for request in github.requests] == [{"contents": "read"}]


def test_the_git_token_may_change_workflows_where_the_deployment_allows_it(
    call: Call, environment: Callable[..., None], put_secret: Callable[..., str], table: Table
) -> None:
    _put(table, installation_id=99)
    app = put_secret(json.dumps({"app_id": "527117", "private_key": app_key_pem()}), "app")
    token = {"token": "ghs_short-lived", "expires_at": "2026-11-22T11:00:00Z"}
    with serve_http(Response.of(token, 201)) as github:
        for allowed in ("false", "true"):
            environment(GITHUB_API_URL=github.url, GITHUB_SECRET_ARN=app, ALLOW_WORKFLOW_CHANGES=allowed)
            answer = call("git_token")[1]
            assert answer["token"] == "ghs_short-lived"
            assert answer["revocation_url"] == f"{github.url}/installation/token"
    narrow, wide = ({"contents": "write"}, {"contents": "write", "workflows": "write"})
    assert [request.json()["permissions"] for request in github.requests] == [narrow, wide]


def _github(texts: Mapping[str, object]) -> Callable[[Request], Response]:
    """A GitHub that has these texts, by their paths, for whoever asks for their HTML."""

    def respond(request: Request) -> Response:
        assert request.headers["accept"] == "application/vnd.github.full+json"
        found = texts.get(request.path.removeprefix("/repos/acme/storefront"))
        return Response.of({"message": "Not Found"}, 404) if found is None else Response.of(found)

    return respond


def _image(number: int) -> tuple[str, str, str]:
    """An image's address in a text, its signed one, and the HTML that has it."""
    uuid = f"{number:08x}-1111-2222-3333-0123456789ab"
    signed = f"https://private-user-images.githubusercontent.com/1/9-{uuid}.png?jwt=a.b.c"
    return f"https://github.com/user-attachments/assets/{uuid}", signed, f'<p><img src="{signed}" alt="cart"></p>'


def test_attachments_come_with_the_signed_addresses_of_the_texts_html(
    call: Call, table: Table, environment: Callable[..., None]
) -> None:
    (url, signed, html), (other, other_signed, other_html), (gone, _, _), on_line = map(_image, range(4))
    issue, comment, log = "https://github.com/acme/storefront/issues/42", "#issuecomment-7", "/acme/web/files/1/a.log"
    pull = "https://github.com/acme/storefront/pull/43"
    remarks = [
        {"author": "zoe", "created_at": "", "url": f"{issue}{comment}", "body": f"![]({other})"},
        {"author": "zoe", "created_at": "", "url": f"{issue}#issuecomment-8", "body": f"![]({gone})"},
        {"author": "zoe", "created_at": "", "url": f"{issue}#issuecomment-9", "body": "Nothing to see."},
        {"author": "zoe", "created_at": "", "url": f"{pull}#discussion_r5", "body": f"![]({on_line[0]})"},
    ]
    _ask(table, body=f"![]({url}) and https://github.com{log}", discussion=remarks)
    texts = {"/issues/42": {"body_html": html}, "/issues/comments/7": {"body_html": other_html}}
    texts["/pulls/comments/5"] = {"body_html": on_line[2]}
    with serve_http(_github(texts)) as github:
        environment(GITHUB_API_URL=github.url)
        assert call("prompts")[1]["prompts"][0]["has_attachments"] is True
        assert github.requests == []
        assert call("attachments")[1]["attachments"] == [
            {"url": url, "source": issue, "signed_url": signed},
            {"url": f"https://github.com{log}", "source": issue, "signed_url": None},
            {"url": other, "source": f"{issue}{comment}", "signed_url": other_signed},
            {"url": gone, "source": f"{issue}#issuecomment-8", "signed_url": None},
            {"url": on_line[0], "source": f"{pull}#discussion_r5", "signed_url": on_line[1]},
        ]
        paths = [request.path.removeprefix("/repos/acme/storefront") for request in github.requests]
    assert paths == ["/issues/42", "/issues/comments/7", "/issues/comments/8", "/pulls/comments/5"]


def test_a_reviews_attachments_are_those_of_its_comments_too(
    call: Call, table: Table, environment: Callable[..., None]
) -> None:
    (url, signed, html), (other, other_signed, other_html) = map(_image, range(2))
    review = "https://github.com/acme/storefront/pull/43#pullrequestreview-9"
    prompt = Prompt(
        id=FOLLOW_UPS[0], kind=PromptKind.REVIEW, body=f"{url} {other}", author="a", url=review, created_at="",
        review_id=9,
    )  # fmt: skip
    Prompts(table.name).put(ID, prompt)
    texts = {"/pulls/43/reviews/9": {"body_html": html}} | {
        "/pulls/43/reviews/9/comments?per_page=100": [{"body_html": None}, {"body_html": other_html}]
    }
    with serve_http(_github(texts)) as github:
        environment(GITHUB_API_URL=github.url)
        found = call("attachments", {"prompt_id": prompt.id})[1]["attachments"]
    assert [(one["url"], one["signed_url"]) for one in found] == [(url, signed), (other, other_signed)]


def test_github_is_asked_for_as_many_texts_as_images_are_fetched_and_for_none_without_any(
    call: Call, table: Table, environment: Callable[..., None]
) -> None:
    issue = "https://github.com/acme/storefront/issues/42"
    remarks = [
        {"author": "zoe", "created_at": "", "url": f"{issue}#issuecomment-{number}", "body": _image(number)[0]}
        for number in range(12)
    ]
    public = "https://user-images.githubusercontent.com/1/9-0a1b2c3d-1111-2222-3333-0123456789ab.png"
    with serve_http(_github({})) as github:
        environment(GITHUB_API_URL=github.url)
        _ask(table, body=public)
        assert call("attachments")[1]["attachments"] == [{"url": public, "source": issue, "signed_url": public}]
        assert call("attachments", {"prompt_id": FOLLOW_UPS[1]}) == (200, {"attachments": []})
        assert github.requests == []
        _ask(table, FOLLOW_UPS[0], discussion=remarks)
        assert len(call("attachments", {"prompt_id": FOLLOW_UPS[0]})[1]["attachments"]) == 12
        assert len(github.requests) == 10


def test_a_failure_before_the_session_runs_fails_the_first_wait(
    call: Call, table: Table, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]
) -> None:
    _put(table, status="STARTING")
    assert call("done") == (200, {})
    message = _body(sample, "done")["message"]
    assert [(TASK_TOKEN, "CloneFailedError", message)] == step_functions.failed


def test_a_failure_while_the_session_runs_fails_the_second_wait(
    call: Call, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, lifecycle_token="second")
    assert call("done") == (200, {})
    assert [token for token, _, _ in step_functions.failed] == ["second"]


def test_a_good_end_completes_the_second_wait(
    call: Call, table: Table, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]
) -> None:
    _put(table, lifecycle_token="second")
    body = _body(sample, "done", outcome="completed", error="", message="😀" * 32_000)
    assert call("done", body) == (200, {})
    assert step_functions.succeeded == [("second", {"status": "COMPLETED", "reason": "😀" * 32_000 + "."})]
    assert step_functions.failed == []


def test_a_good_end_before_the_session_ran_is_a_failure(
    call: Call, table: Table, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]
) -> None:
    _put(table, status="STARTING")
    assert call("done", _body(sample, "done", outcome="completed", error="", message="bye")) == (200, {})
    assert step_functions.failed == [(TASK_TOKEN, "AgentError", "bye")]


@pytest.mark.parametrize("error", ["BranchProtectedError", "RepositoryReadOnlyError", "NoFreeSlotError", "MadeUpError"])
def test_advice_for_what_the_workflow_meets_is_not_the_agents_to_choose(
    call: Call, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]], error: str
) -> None:
    assert call("done", _body(sample, "done", error=error, message="x")) == (200, {})
    assert step_functions.failed == [(TASK_TOKEN, "AgentError", "x")]


def test_the_reason_of_a_good_end_is_never_taken_for_an_errors_name(
    call: Call, table: Table, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]
) -> None:
    _put(table, lifecycle_token="second")
    call("done", _body(sample, "done", outcome="completed", error="", message="BranchProtectedError"))
    (_, ending) = step_functions.succeeded[0]
    assert readable_reason(ending["reason"]) == "BranchProtectedError."


def test_done_said_twice_is_harmless(call: Call, step_functions: StepFunctions) -> None:
    step_functions.late[TASK_TOKEN] = "TaskTimedOut"
    assert call("done") == (200, {})


@pytest.mark.parametrize(("method", "path"), [("GET", "/agent/nothing"), ("GET", "/agent/ready"), ("POST", "/agent")])
def test_an_unknown_route_is_not_found(call: Call, method: str, path: str) -> None:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "x"}
    context = {"http": http, "stage": "$default", "requestId": "x"}
    assert call("ready", rawPath=path, requestContext=context)[0] == 404


def test_a_body_in_base64_is_read_too(call: Call, step_functions: StepFunctions) -> None:
    body = "eyJ0YXNrX3Rva2VuIjogInQiLCAicG9ydCI6IDMwMDB9"  # {"task_token": "t", "port": 3000}
    assert call("ready", body, isBase64Encoded=True) == (200, {})
    assert step_functions.succeeded == [("t", {"port": 3000})]


def test_no_token_and_no_prompt_is_logged(
    call: Call, table: Table, logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    _ask(table, title="TITLE-OF-THE-ISSUE", body="BODY-OF-THE-ISSUE")
    _put(table, lifecycle_token="LIFECYCLE-TOKEN")
    for route in ROUTES:
        call(route)
        call(route, authorization=f"Bearer {TOKEN}0")
        call(route, {"task_token": TASK_TOKEN, "odd": "BODY-OF-THE-ISSUE"})
    written = logs.getvalue() + "".join(capfd.readouterr())
    assert "agent done" in written
    assert "agent token refused" in written
    secrets = [TOKEN, TASK_TOKEN, "LIFECYCLE-TOKEN", "ghp_a-personal-token", str(_row(table)["token_hash"])]
    secrets += ["value of STRIPE_KEY", "value of DATABASE_URL"]
    for secret in [*secrets, "BODY-OF-THE-ISSUE", "TITLE-OF-THE-ISSUE", "The cart shows its total."]:
        assert secret not in written


def test_every_line_of_an_open_session_carries_its_ids(call: Call, logs: io.StringIO) -> None:
    call("done")
    (line,) = [json.loads(line) for line in logs.getvalue().splitlines() if "agent done" in line]
    assert (line["session_id"], line["outcome"], line["error"]) == (ID, "failed", "CloneFailedError")
    assert line["execution_arn"].endswith(f":test-session:{ID}")
