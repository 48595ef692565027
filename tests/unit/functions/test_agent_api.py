"""The Agent API: a token opens its own live session and nothing else."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent.adapters.sessions_table import SessionsTable, session_key
from cloud_agent.domain.intake import Prompt
from cloud_agent.entrypoints.agent_api import handler

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.conftest import Context, StepFunctions

    Call = Callable[..., tuple[int, dict[str, Any]]]

ID, OTHER = "513821dd", "0badcafe"
TOKEN = f"{ID}.3f0c1d6e-8f0b-4d5e-9a77-0c6f1c1f9b52-5b1f7a0e-2f4c-4d3b-8a34-9d0c7f6b1e20"
OTHER_TOKEN = TOKEN.replace(ID, OTHER)
TASK_TOKEN = "AQCMAAAAKgAAAAMAAAAA-sample-task-token"
PROMPT = "0" * 26
REFUSED = (401, {"message": "The bearer token opens no session."})
ROUTES = [
    "ready",
    "heartbeat",
    "prompts",
    "progress_turn_started",
    "progress_tool_used",
    "progress_turn_finished",
    "git_token",
    "done",
]


def _put(table: Table, session_id: str = ID, token: str = TOKEN, **attributes: Any) -> None:  # noqa: ANN401 - a row's values
    table.put_item(
        Item=session_key(session_id)
        | {
            "session_id": session_id,
            "status": "RUNNING",
            "repo": "acme/storefront",
            "issue_number": 42,
            "issue_key": "42",
            "branch": "claude/42",
            "installation_id": 99,
            "token_hash": hashlib.sha256(token.encode()).hexdigest(),
            "execution_arn": f"arn:aws:states:us-east-1:123456789012:execution:test-session:{session_id}",
            **attributes,
        }
    )


def _row(table: Table, session_id: str = ID) -> dict[str, Any]:
    return dict(table.get_item(Key=session_key(session_id))["Item"])


@pytest.fixture
def call(
    environment: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
    step_functions: StepFunctions,
    table: Table,
    context: Context,
) -> Call:
    """Send a sample of events/agent_api/, changed as told, for a session that runs; returns status and answer."""
    _put(table)

    def send(
        name: str, body: object = None, *, authorization: str | None = f"Bearer {TOKEN}", **event_changes: object
    ) -> tuple[int, dict[str, Any]]:
        event = sample(f"agent_api/{name}.json")
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        del event["headers"]["authorization"]
        if authorization is not None:
            event["headers"]["authorization"] = authorization
        answer = handler(event | event_changes, context)
        return int(answer["statusCode"]), json.loads(answer["body"])

    return send


def _body(sample: Callable[[str], dict[str, Any]], name: str, **changes: object) -> dict[str, Any]:
    return dict(json.loads(sample(f"agent_api/{name}.json")["body"])) | changes


@pytest.mark.parametrize("route", ROUTES)
def test_every_sample_is_answered(call: Call, route: str) -> None:
    assert 200 == call(route)[0]


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
        assert REFUSED == call(route, authorization=authorization), authorization


def test_a_guesser_is_told_no_more_of_a_bad_body_or_an_ended_session(call: Call, table: Table) -> None:
    assert REFUSED == call("ready", "{", authorization=f"Bearer {TOKEN}0")
    _put(table, status="COMPLETED")
    assert REFUSED == call("ready", authorization=f"Bearer {TOKEN}0")


def test_the_rows_hash_opens_nothing(call: Call, table: Table) -> None:
    assert REFUSED == call("ready", authorization=f"Bearer {ID}.{_row(table)['token_hash']}")


def test_another_sessions_token_opens_that_session_alone(call: Call, table: Table) -> None:
    _put(table, OTHER, OTHER_TOKEN)
    SessionsTable(table.name).put_initial_prompt(OTHER, Prompt("other", "b", "a", "u"))
    before = _row(table)
    status, answer = call("prompts", queryStringParameters=None, authorization=f"Bearer {OTHER_TOKEN}")
    assert (200, ["other"]) == (status, [prompt["title"] for prompt in answer["prompts"]])
    assert (200, {}) == call("progress_tool_used", authorization=f"Bearer {OTHER_TOKEN}")
    assert before == _row(table)
    assert "Edit src/cart.py" == _row(table, OTHER)["activity"]


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED", "FAILED"])
def test_an_ended_session_tells_its_container_to_stop(
    call: Call, table: Table, step_functions: StepFunctions, status: str
) -> None:
    _put(table, status=status, end_reason="The pull request was closed.")
    for route in ROUTES:
        assert (409, {"message": f"Session {ID} has ended: The pull request was closed."}) == call(route), route
    assert ([], [], []) == (step_functions.succeeded, step_functions.failed, step_functions.heartbeats)


def test_a_session_that_is_asked_to_end_tells_its_container_to_stop(
    call: Call, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, status="STARTING", ending={"status": "STOPPED", "reason": "The issue was closed."})
    for route in ROUTES:
        assert (409, {"message": f"Session {ID} is ending: The issue was closed."}) == call(route), route
    assert [] == step_functions.succeeded


def test_the_first_heartbeat_leaves_the_token_by_which_a_start_can_be_ended(call: Call, table: Table) -> None:
    call("heartbeat")
    assert "start_token" not in _row(table)
    _put(table, status="STARTING")
    call("heartbeat")
    assert TASK_TOKEN == _row(table)["start_token"]


def test_ready_ends_the_first_wait_with_the_port(call: Call, table: Table, step_functions: StepFunctions) -> None:
    _put(table, status="STARTING")
    assert (200, {}) == call("ready")
    assert [(TASK_TOKEN, {"port": 3000})] == step_functions.succeeded


def test_ready_said_twice_is_heard_once(call: Call, step_functions: StepFunctions) -> None:
    assert (200, {}) == call("ready")
    step_functions.late[TASK_TOKEN] = "TaskTimedOut"
    assert (200, {}) == call("ready")
    assert 1 == len(step_functions.succeeded)


def test_a_heartbeat_keeps_the_wait_that_the_execution_is_in(
    call: Call, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, status="STARTING")
    assert (200, {"status": "STARTING"}) == call("heartbeat")
    _put(table, lifecycle_token="second")
    assert (200, {"status": "RUNNING"}) == call("heartbeat")
    assert [TASK_TOKEN, "second"] == step_functions.heartbeats


def test_a_heartbeat_between_the_two_waits_is_harmless(call: Call, step_functions: StepFunctions) -> None:
    step_functions.late[TASK_TOKEN] = "TaskDoesNotExist"
    assert (200, {"status": "RUNNING"}) == call("heartbeat")


def test_prompts_come_after_the_one_named_and_only_once_the_session_runs(call: Call, table: Table) -> None:
    SessionsTable(table.name).put_initial_prompt(ID, Prompt("Show the total", "b" * 65_536, "octo-dev", "u"))
    _put(table, status="STARTING")
    assert (200, {"prompts": []}) == call("prompts", queryStringParameters=None)
    _put(table)
    status, answer = call("prompts", queryStringParameters=None)
    (prompt,) = answer["prompts"]
    assert (200, PROMPT, "issue", "Show the total") == (status, prompt["id"], prompt["kind"], prompt["title"])
    assert {"id", "kind", "title", "body", "author", "url", "created_at"} == set(prompt)
    assert (200, {"prompts": []}) == call("prompts", queryStringParameters={"after": PROMPT})


@pytest.mark.parametrize("after", ["~~", "x", PROMPT + "0", PROMPT.replace("0", "U"), "#", "😀"])
def test_a_place_among_the_prompts_that_is_none_is_a_bad_request(call: Call, after: str) -> None:
    status, answer = call("prompts", queryStringParameters={"after": after})
    assert (400, "The parameter `after` is no prompt's id.") == (status, answer["message"])


def test_progress_stands_on_the_row(call: Call, table: Table) -> None:
    assert (200, {}) == call("progress_turn_started")
    assert "turn_started" == _row(table)["activity"]
    assert (200, {}) == call("progress_turn_finished")
    row = _row(table)
    assert (7, Decimal("0.1834")) == (row["turns"], row["cost_usd"])
    assert ("The cart shows its total.", "turn_finished") == (row["last_result"], row["activity"])


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
    assert 400 == status
    assert answer["message"].startswith("The request body is not as expected: ")
    assert member in answer["message"]
    assert [] == step_functions.succeeded + step_functions.failed


def test_a_personal_token_is_handed_out_for_git(call: Call) -> None:
    status, answer = call("git_token")
    assert (200, "x-access-token", "ghp_a-personal-token") == (status, answer["username"], answer["token"])
    assert answer["expires_at"].endswith("Z")


def test_a_failure_before_the_session_runs_fails_the_first_wait(
    call: Call, table: Table, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]
) -> None:
    _put(table, status="STARTING")
    assert (200, {}) == call("done")
    message = _body(sample, "done")["message"]
    assert [(TASK_TOKEN, "DevServerNotReadyError", message)] == step_functions.failed


def test_a_failure_while_the_session_runs_fails_the_second_wait(
    call: Call, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, lifecycle_token="second")
    assert (200, {}) == call("done")
    assert ["second"] == [token for token, _, _ in step_functions.failed]


def test_a_good_end_completes_the_second_wait(
    call: Call, table: Table, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]
) -> None:
    _put(table, lifecycle_token="second")
    body = _body(sample, "done", outcome="completed", error="", message="😀" * 32_000)
    assert (200, {}) == call("done", body)
    assert [("second", {"status": "COMPLETED", "reason": "😀" * 32_000})] == step_functions.succeeded
    assert [] == step_functions.failed


def test_a_good_end_before_the_session_ran_is_a_failure(
    call: Call, table: Table, step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]
) -> None:
    _put(table, status="STARTING")
    assert (200, {}) == call("done", _body(sample, "done", outcome="completed", error="", message="bye"))
    assert [(TASK_TOKEN, "AgentError", "bye")] == step_functions.failed


def test_done_said_twice_is_harmless(call: Call, step_functions: StepFunctions) -> None:
    step_functions.late[TASK_TOKEN] = "TaskTimedOut"
    assert (200, {}) == call("done")


@pytest.mark.parametrize(("method", "path"), [("GET", "/agent/nothing"), ("GET", "/agent/ready"), ("POST", "/agent")])
def test_an_unknown_route_is_not_found(call: Call, method: str, path: str) -> None:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "x"}
    context = {"http": http, "stage": "$default", "requestId": "x"}
    assert 404 == call("ready", rawPath=path, requestContext=context)[0]


def test_a_body_in_base64_is_read_too(call: Call, step_functions: StepFunctions) -> None:
    body = "eyJ0YXNrX3Rva2VuIjogInQiLCAicG9ydCI6IDMwMDB9"  # {"task_token": "t", "port": 3000}
    assert (200, {}) == call("ready", body, isBase64Encoded=True)
    assert [("t", {"port": 3000})] == step_functions.succeeded


def test_no_token_and_no_prompt_is_logged(
    call: Call, table: Table, logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    SessionsTable(table.name).put_initial_prompt(ID, Prompt("TITLE-OF-THE-ISSUE", "BODY-OF-THE-ISSUE", "a", "u"))
    _put(table, lifecycle_token="LIFECYCLE-TOKEN")
    for route in ROUTES:
        call(route)
        call(route, authorization=f"Bearer {TOKEN}0")
        call(route, {"task_token": TASK_TOKEN, "odd": "BODY-OF-THE-ISSUE"})
    call("prompts", queryStringParameters=None)
    written = logs.getvalue() + "".join(capfd.readouterr())
    assert "agent done" in written
    assert "agent token refused" in written
    secrets = [TOKEN, TASK_TOKEN, "LIFECYCLE-TOKEN", "ghp_a-personal-token", str(_row(table)["token_hash"])]
    for secret in [*secrets, "BODY-OF-THE-ISSUE", "TITLE-OF-THE-ISSUE", "The cart shows its total."]:
        assert secret not in written


def test_every_line_of_an_open_session_carries_its_ids(call: Call, logs: io.StringIO) -> None:
    call("done")
    (line,) = [json.loads(line) for line in logs.getvalue().splitlines() if "agent done" in line]
    assert (ID, "failed", "DevServerNotReadyError") == (line["session_id"], line["outcome"], line["error"])
    assert line["execution_arn"].endswith(f":test-session:{ID}")
