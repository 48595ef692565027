"""POST /webhook: verified, decided, acted on once."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from cloud_agent.adapters.aws import secrets
from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.keys import SLOTS_KEY
from cloud_agent.webhook.handler import handler
from cloud_agent.webhook.signature import sign

if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.conftest import Context
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Deliver = Callable[..., tuple[int, dict[str, Any]]]

SECRET = "It's a Secret to Everybody"
EXECUTION = "acme-storefront-42-6020583d"


@pytest.fixture
def deliver(
    github_stand_in: GitHubStandIn,
    sample: Callable[[str], dict[str, Any]],
    step_functions: StepFunctions,
    context: Context,
) -> Deliver:
    """Send a body as GitHub would; returns status and answer. Header `None` leaves the header out."""

    def send(
        body: bytes | dict[str, Any] | None = None,
        *,
        secret: str = SECRET,
        in_base64: bool = False,
        within: Context = context,
        **headers: str | None,
    ) -> tuple[int, dict[str, Any]]:
        event = sample("webhook/plain_body.json")
        if body is None:
            body = event["body"].encode()
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        event["body"] = base64.b64encode(raw).decode() if in_base64 else raw.decode()
        event["isBase64Encoded"] = in_base64
        changed = {"x-hub-signature-256": sign(secret, raw)} | {n.replace("_", "-"): v for n, v in headers.items()}
        event["headers"] = {name: value for name, value in (event["headers"] | changed).items() if value is not None}
        answer = handler(event, within)
        return int(answer["statusCode"]), json.loads(answer["body"])

    return send


@pytest.fixture
def labeled(sample: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    return sample("github/issues.labeled.json")


def prompts(table: Table) -> list[dict[str, Any]]:
    return [item for item in table.scan()["Items"] if str(item["sk"]).startswith("PROMPT#")]


def test_a_label_starts_an_execution_under_the_sessions_name(
    deliver: Deliver, labeled: dict[str, Any], step_functions: StepFunctions, table: Table
) -> None:
    assert deliver() == (202, {"session_id": "6020583d"})
    assert list(step_functions.executions) == [EXECUTION]
    assert tuple(step_functions.executions[EXECUTION][name] for name in ("repo", "issue_number", "branch")) == (
        "acme/storefront",
        42,
        "claude/42",
    )
    (prompt,) = prompts(table)
    assert (labeled["issue"]["title"], labeled["issue"]["body"]) == (prompt["title"], prompt["body"])


def test_a_body_in_base64_is_the_same_delivery(deliver: Deliver, step_functions: StepFunctions) -> None:
    assert deliver(in_base64=True) == (202, {"session_id": "6020583d"})
    assert list(step_functions.executions) == [EXECUTION]


@pytest.mark.parametrize("path", ["webhook/plain_body.json", "webhook/base64_body.json"])
def test_the_samples_are_signed_as_their_readme_says(
    github_stand_in: GitHubStandIn,
    sample: Callable[[str], dict[str, Any]],
    step_functions: StepFunctions,
    context: Context,
    path: str,
) -> None:
    assert handler(sample(path), context)["statusCode"] == 202
    assert list(step_functions.executions) == [EXECUTION]


@pytest.mark.parametrize("in_base64", [False, True])
@pytest.mark.parametrize("signature", [None, "", "sha256=" + "0" * 64, "sha1=x", "sha256=ü😀"])
def test_a_wrong_signature_is_refused_and_nothing_is_read(
    deliver: Deliver, step_functions: StepFunctions, table: Table, signature: str | None, *, in_base64: bool
) -> None:
    status, answer = deliver(in_base64=in_base64, x_hub_signature_256=signature)
    assert (status, list(answer)) == (401, ["message"])
    assert step_functions.executions == {}
    assert table.scan()["Items"] == []


def test_a_signature_of_another_body_is_refused(deliver: Deliver, labeled: dict[str, Any]) -> None:
    assert deliver(labeled, x_hub_signature_256=sign(SECRET, b"{}"))[0] == 401
    assert deliver(labeled, secret="another")[0] == 401


def test_while_the_secret_is_rotated_the_new_one_and_the_one_before_sign(
    deliver: Deliver,
    environment: Callable[..., None],
    put_secret: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secrets, "MAX_AGE_SECONDS", -1)
    environment(WEBHOOK_SECRET_ARN=(arn := put_secret(SECRET)))
    assert deliver()[0] == 202
    for expected in ({SECRET: 202, "new": 202, "newer": 401}, {SECRET: 401, "new": 202, "newer": 202}):
        newest = [secret for secret, status in expected.items() if status == 202][-1]
        boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=newest)
        assert {secret: deliver(secret=secret)[0] for secret in expected} == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"payload=%7B%7D", "content type to application/json"),
        (b'{"action": "labeled"', "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not an object"),
        (b"null", "not an object"),
        (b'"text"', "not an object"),
        (b'{"action": "labeled"}', "not as GitHub documents it"),
    ],
)
def test_a_signed_body_that_cannot_be_read_is_a_bad_request(deliver: Deliver, body: bytes, words: str) -> None:
    status, answer = deliver(body, in_base64=True)
    assert status == 400
    assert words in answer["message"]


@pytest.mark.parametrize("header", ["x_github_event", "x_github_delivery"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_delivery_without_its_headers_is_a_bad_request(
    deliver: Deliver, step_functions: StepFunctions, header: str, value: str | None
) -> None:
    status, answer = deliver(**{header: value})
    assert status == 400
    assert "X-GitHub-Delivery" in answer["message"]
    assert step_functions.executions == {}


def test_a_ping_is_answered(deliver: Deliver, sample: Callable[[str], dict[str, Any]]) -> None:
    status, answer = deliver(sample("github/ping.json"), x_github_event="ping")
    assert (status, answer) == (200, {"ignored": "pong: the webhook is connected"})


@pytest.mark.parametrize(
    ("member", "change", "reason"),
    [
        ("label", {"name": "bug"}, "label"),
        ("issue", {"pull_request": {"url": "u"}}, "pull request"),
        ("issue", {"state": "closed"}, "closed"),
        ("sender", {"login": "renovate[bot]", "type": "Bot"}, "bot"),
    ],
)
def test_what_starts_nothing_is_answered_with_the_reason(  # noqa: PLR0913, PLR0917 - three fixtures, three cases
    deliver: Deliver,
    labeled: dict[str, Any],
    step_functions: StepFunctions,
    member: str,
    change: dict[str, Any],
    reason: str,
) -> None:
    labeled[member] |= change
    status, answer = deliver(labeled)
    assert status == 200
    assert reason in answer["ignored"]
    assert step_functions.executions == {}


def test_a_duplicate_delivery_starts_once_and_is_answered_alike(
    deliver: Deliver, step_functions: StepFunctions, table: Table
) -> None:
    assert deliver() == deliver() == deliver(in_base64=True)
    assert list(step_functions.executions) == [EXECUTION]
    assert len(prompts(table)) == 1


def test_a_duplicate_after_the_memory_is_gone_still_starts_nothing(
    deliver: Deliver, step_functions: StepFunctions, idempotency_table: Table
) -> None:
    first = deliver()
    for row in idempotency_table.scan()["Items"]:
        idempotency_table.delete_item(Key={"id": row["id"]})
    assert first == deliver()
    assert list(step_functions.executions) == [EXECUTION]


def test_a_second_label_on_an_issue_with_a_live_session_starts_nothing(
    deliver: Deliver, step_functions: StepFunctions, put_session: Callable[..., None]
) -> None:
    put_session("09e22a8b")
    status, answer = deliver(x_github_delivery="another")
    assert (status, answer) == (200, {"ignored": "#42 already has the live session 09e22a8b"})
    assert step_functions.executions == {}


def test_the_own_lock_does_not_stand_in_the_way_of_a_redelivery(
    deliver: Deliver, put_session: Callable[..., None], idempotency_table: Table
) -> None:
    first = deliver()
    put_session("6020583d")
    for row in idempotency_table.scan()["Items"]:
        idempotency_table.delete_item(Key={"id": row["id"]})
    assert first == deliver()


def test_two_issues_at_once_are_two_sessions(
    deliver: Deliver, labeled: dict[str, Any], step_functions: StepFunctions
) -> None:
    first = deliver()
    labeled["issue"]["number"] = 44
    second = deliver(labeled, x_github_delivery="another")
    assert first[1]["session_id"] != second[1]["session_id"]
    assert len(step_functions.executions) == 2


def test_a_start_that_failed_is_tried_again_by_the_redelivery(
    deliver: Deliver, step_functions: StepFunctions, without_step_functions: Callable[[], AbstractContextManager[None]]
) -> None:
    with without_step_functions(), pytest.raises(Exception, match="Could not connect"):
        deliver()
    assert deliver() == (202, {"session_id": "6020583d"})
    assert list(step_functions.executions) == [EXECUTION]


class _WorkerKilledError(BaseException):
    """Lambda's end of a worker at its timeout: nothing after it is run."""


@pytest.fixture
def killed(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> Callable[[Context], None]:
    def kill(within: Context) -> None:
        def never(*_arguments: object) -> bool:
            raise _WorkerKilledError

        with monkeypatch.context() as broken:
            broken.setattr(Workflow, "start", never)
            with pytest.raises(_WorkerKilledError):
                deliver(within=within)

    return kill


def test_a_delivery_that_is_being_handled_is_not_handled_beside_it(
    deliver: Deliver, killed: Callable[[Context], None], context: Context, step_functions: StepFunctions
) -> None:
    killed(context)
    assert deliver() == (200, {"ignored": "this delivery is being handled already"})
    assert step_functions.executions == {}


def test_a_try_that_was_killed_does_not_bar_the_redelivery(
    deliver: Deliver, killed: Callable[[Context], None], context: Context
) -> None:
    killed(type(context)(remaining_milliseconds=0))
    assert deliver() == (202, {"session_id": "6020583d"})


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("t", ""),
        ("t", "x" * 65_536),
        ("t", "😀" * 65_536),
        ("**bold** \"quotes\" 'single' `code`\n😀 </title> $(id) {% $x %} ${y} \\", "```\n</details>"),
    ],
)
def test_a_hard_issue_arrives_whole(  # noqa: PLR0913, PLR0917 - four fixtures, two cases
    deliver: Deliver,
    labeled: dict[str, Any],
    step_functions: StepFunctions,
    table: Table,
    title: str,
    body: str,
) -> None:
    labeled["issue"] |= {"title": title, "body": body}
    assert deliver(labeled)[0] == 202
    assert title == step_functions.executions[EXECUTION]["issue_title"]
    (prompt,) = prompts(table)
    assert (title, body) == (prompt["title"], prompt["body"])


def test_neither_secret_nor_issue_text_is_logged(
    deliver: Deliver, labeled: dict[str, Any], logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    labeled["issue"] |= {"title": "TITLE-OF-THE-ISSUE", "body": "BODY-OF-THE-ISSUE"}
    signature = sign(SECRET, json.dumps(labeled).encode())
    deliver(labeled)
    deliver(labeled, secret="wrong")
    deliver(b"BODY-OF-THE-ISSUE")
    deliver(labeled | {"issue": {"body": "BODY-OF-THE-ISSUE"}}, x_github_delivery="another")
    written = logs.getvalue() + "".join(capfd.readouterr())
    assert "session requested" in written
    assert "signature refused" in written
    assert "event unreadable" in written
    for secret in (SECRET, signature, "BODY-OF-THE-ISSUE", "TITLE-OF-THE-ISSUE"):
        assert secret not in written


def test_each_line_of_a_start_carries_session_and_delivery(deliver: Deliver, logs: io.StringIO) -> None:
    deliver()
    (line,) = [json.loads(line) for line in logs.getvalue().splitlines() if "session requested" in line]
    assert (line["session_id"], line["execution_name"], line["github_event"]) == ("6020583d", EXECUTION, "issues")
    assert line["delivery_id"] == "72d3162e-cc78-11e3-81ab-4c9367dc0958"


def test_a_start_leaves_the_map_in_which_the_workflow_takes_a_slot(deliver: Deliver, table: Table) -> None:
    table.put_item(Item={**SLOTS_KEY, "live": {"0000aaaa": "acme/lunch"}})
    deliver()
    expected = {**SLOTS_KEY, "live": {"0000aaaa": "acme/lunch"}, "waiting": {}, "version": 0}
    assert expected == table.get_item(Key=SLOTS_KEY)["Item"]
    table.delete_item(Key=SLOTS_KEY)
    deliver(x_github_delivery="another")
    assert expected | {"live": {}} == table.get_item(Key=SLOTS_KEY)["Item"]


@pytest.mark.usefixtures("step_functions")
def test_a_cold_start_reads_the_services_models_once(
    deliver_event: Callable[..., tuple[int, dict[str, Any]]],
    sample: Callable[[str], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def another_session(*_: object, **__: object) -> None:
        pytest.fail("each boto3 session reads the models anew")

    monkeypatch.setattr(boto3.Session, "__init__", another_session)
    assert deliver_event("issues", sample("github/issues.labeled.json"))[0] == 202
