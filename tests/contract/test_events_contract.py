"""events/: a sample for every function and every kind of webhook, each one what its consumer reads."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventV2Model,
    DynamoDBStreamModel,
    EventBridgeModel,
)
from pydantic import TypeAdapter
from tests.kit.github_webhooks import require_webhook

from cloud_agent.domain.session.agent_reports import (
    AttachmentsOf,
    DependencyArchive,
    DependencyKey,
    Done,
    EnvironmentNames,
    Heartbeat,
    PreviewReport,
    Progress,
    Ready,
    UnpublishedBundle,
    UnpublishedReport,
)
from cloud_agent.domain.session.agent_task import AgentTask, session_of_group
from cloud_agent.domain.session.agents import TriggerLabels
from cloud_agent.domain.session.issue_sessions import IssueSessions
from cloud_agent.domain.session.naming import execution_name, name_session
from cloud_agent.domain.session.picture import PictureReport
from cloud_agent.domain.session.session_token import session_id_of
from cloud_agent.domain.session.transcript import TranscriptBatch
from cloud_agent.observability import StepEvent
from cloud_agent.webhook.decide import decide
from cloud_agent.webhook.decisions import End, Follow, FollowBase, Ignore, Review, Start, Steer
from cloud_agent.webhook.signature import verify
from cloud_agent.workflow.announce_session import AnnounceSessionEvent
from cloud_agent.workflow.close_session import CloseSessionEvent
from cloud_agent.workflow.register_ip import RegisterIpEvent
from cloud_agent.workflow.report_failure import ReportFailureEvent
from cloud_agent_doctor.settings import FUNCTIONS

if TYPE_CHECKING:
    Document = dict[str, Any]

EVENTS = Path(__file__).parents[2] / "events"
LABELS = TriggerLabels("claude-dev")
SECRET = "It's a Secret to Everybody"
STEPS: dict[str, type[StepEvent]] = {
    "create_branch": StepEvent,
    "open_draft_pull_request": StepEvent,
    "take_slot": StepEvent,
    "register_ip": RegisterIpEvent,
    "announce_session": AnnounceSessionEvent,
    "report_failure": ReportFailureEvent,
    "close_session": CloseSessionEvent,
}
ROUTES: dict[str, TypeAdapter[Any]] = {
    "ready": TypeAdapter(Ready),
    "heartbeat": TypeAdapter(Heartbeat),
    "preview": TypeAdapter(PreviewReport),
    "progress_turn_started": TypeAdapter(Progress),
    "progress_tool_used": TypeAdapter(Progress),
    "progress_turn_finished": TypeAdapter(Progress),
    "attachments": TypeAdapter(AttachmentsOf),
    "environment": TypeAdapter(EnvironmentNames),
    "restore_dependencies": TypeAdapter(DependencyKey),
    "save_dependencies": TypeAdapter(DependencyArchive),
    "save_unpublished": TypeAdapter(UnpublishedBundle),
    "report_unpublished": TypeAdapter(UnpublishedReport),
    "transcript": TypeAdapter(TranscriptBatch),
    "picture": TypeAdapter(PictureReport),
    "done": TypeAdapter(Done),
}
# Those the webhook acts on, and those it is subscribed to and ignores.
WEBHOOKS = {
    "ping",
    "issues.labeled",
    "issues.opened",
    "issues.unlabeled",
    "issues.closed",
    "issues.deleted",
    "issues.transferred",
    "issue_comment.created",
    "pull_request_review.submitted",
    "pull_request_review_comment.created",
    "pull_request.opened",
    "pull_request.edited",
    "pull_request.closed",
    "push",
}
STEERS = {"issue_comment.created", "pull_request_review.submitted", "pull_request_review_comment.created"}
ENDS = {"issues.unlabeled", "issues.closed", "issues.deleted", "issues.transferred", "pull_request.closed"}


def _read(path: str) -> Document:
    return dict(json.loads((EVENTS / path).read_text()))


def _files(folder: str) -> list[str]:
    return sorted(path.stem for path in (EVENTS / folder).glob("*.json"))


def test_every_function_has_a_sample_and_every_other_sample_is_of_github() -> None:
    names = {re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower() for name in FUNCTIONS}
    found = {path.relative_to(EVENTS).parts[0].removesuffix(".json") for path in EVENTS.rglob("*.json")}
    assert names | {"github"} == found


def test_the_readme_lists_every_sample() -> None:
    readme = (EVENTS / "README.md").read_text()
    missing = {path.relative_to(EVENTS).as_posix() for path in EVENTS.rglob("*.json")}
    assert set() == {path for path in missing if f"`{path}`" not in readme}


@pytest.mark.parametrize("step", STEPS)
def test_a_steps_sample_is_what_the_state_passes(definition: Document, step: str) -> None:
    sample = _read(f"{step}.json")
    event = STEPS[step].model_validate(sample)
    (state,) = [s for n, s in definition["States"].items() if n.lower().replace(" ", "_") == step]
    assert set(state["Arguments"]["Payload"]) == set(sample)
    session = event.session
    assert event.execution_arn.endswith(":" + execution_name(session.repo, session.issue_number, session.session_id))


@pytest.mark.parametrize("step", STEPS)
def test_every_steps_sample_is_of_the_session_that_the_webhooks_sample_starts(step: str) -> None:
    event = parse(event=_read("webhook/plain_body.json"), model=APIGatewayProxyEventV2Model)
    decision = decide("issues", event.headers["x-github-delivery"], json.loads(str(event.body)), LABELS)
    assert isinstance(decision, Start)
    members = {name: _read(f"{step}.json")[name] for name in ("session", "execution_arn")}
    session = StepEvent.model_validate(members).session
    named = name_session(decision.request, IssueSessions(session.issue_number, current=None))
    assert session == named.model_copy(update={"requested_at": session.requested_at})


def test_every_kind_of_webhook_has_a_sample() -> None:
    assert sorted(WEBHOOKS) == _files("github")


@pytest.mark.parametrize("name", sorted(WEBHOOKS))
def test_a_webhooks_sample_is_one_that_github_could_send(name: str) -> None:
    event, _, action = name.partition(".")
    payload = _read(f"github/{name}.json")
    require_webhook(event, payload)
    assert (action or None) == payload.get("action")


@pytest.mark.parametrize("name", sorted(WEBHOOKS))
def test_a_webhooks_sample_starts_steers_or_ends_a_session_or_is_ignored_with_a_reason(name: str) -> None:
    decision = decide(name.partition(".")[0], "delivery", _read(f"github/{name}.json"), LABELS)
    if name == "issues.labeled":
        assert isinstance(decision, Start)
    elif name in STEERS:
        assert isinstance(decision, Steer | Review)
    elif name in ENDS:
        assert isinstance(decision, End)
        assert decision.ending.reason
    elif name == "push":
        assert isinstance(decision, Follow)
        assert decision.branch == "claude/42"
    elif name == "pull_request.edited":
        assert isinstance(decision, FollowBase)
        assert decision.pull_number == 43
    else:
        assert isinstance(decision, Ignore)
        assert decision.reason


@pytest.mark.parametrize("name", ["plain_body", "base64_body"])
def test_both_forms_of_a_delivery_are_of_the_route_and_signed(template: Document, name: str) -> None:
    event = parse(event=_read(f"webhook/{name}.json"), model=APIGatewayProxyEventV2Model)
    route = template["Resources"]["WebhookFunction"]["Properties"]["Events"]["Delivery"]["Properties"]
    assert f"{route['Method']} {route['Path']}" == event.routeKey
    body = base64.b64decode(str(event.body)) if event.isBase64Encoded else str(event.body).encode()
    assert (name == "base64_body") == event.isBase64Encoded
    assert str(len(body)) == event.headers["content-length"]
    verify([SECRET], body, event.headers["x-hub-signature-256"])
    assert _read("github/issues.labeled.json") == json.loads(body)


def test_every_route_of_the_agent_api_has_a_sample(template: Document) -> None:
    assert sorted([*ROUTES, "prompts", "git_read_token", "git_token", "restore_unpublished"]) == _files("agent_api")
    route = template["Resources"]["AgentApiFunction"]["Properties"]["Events"]["Agent"]["Properties"]
    for name in _files("agent_api"):
        event = parse(event=_read(f"agent_api/{name}.json"), model=APIGatewayProxyEventV2Model)
        assert f"{route['Method']} {route['Path']}" == event.routeKey
        path = "progress" if name.startswith("progress_") else name.replace("_", "-")
        assert f"/agent/{path}" == event.rawPath
        assert session_id_of(event.headers["authorization"]) == "6020583d"


@pytest.mark.parametrize("name", ROUTES)
def test_an_agents_sample_has_the_body_that_its_route_reads(name: str) -> None:
    event = parse(event=_read(f"agent_api/{name}.json"), model=APIGatewayProxyEventV2Model)
    assert ROUTES[name].validate_json(str(event.body))


def test_the_sample_of_the_stream_passes_its_filter_record_by_record(template: Document) -> None:
    records = DynamoDBStreamModel.model_validate(_read("publisher.json")).Records
    source = template["Resources"]["PublisherFunction"]["Properties"]["Events"]["Changes"]["Properties"]
    (rule,) = source["FilterCriteria"]["Filters"]
    pattern = json.loads(rule["Pattern"])
    view = template["Resources"]["SessionsTable"]["Properties"]["StreamSpecification"]["StreamViewType"]
    for record in records:
        assert record.eventName in pattern["eventName"]
        assert _matches(record.dynamodb.Keys["sk"], pattern["dynamodb"]["Keys"]["sk"]["S"])
        assert view == record.dynamodb.StreamViewType
    assert not _matches("PUBLISHED", pattern["dynamodb"]["Keys"]["sk"]["S"])  # else it would answer itself for ever


def _matches(value: str, rules: list[Any]) -> bool:
    return any(value.startswith(rule["prefix"]) if isinstance(rule, dict) else value == rule for rule in rules)


@pytest.mark.parametrize(("name", "status"), [("container_exited", "STOPPED"), ("task_running", "RUNNING")])
def test_the_samples_of_a_task_pass_the_rule_and_are_the_sessions(
    template: Document, definition: Document, name: str, status: str
) -> None:
    event = parse(event=_read(f"task_events/{name}.json"), model=EventBridgeModel)
    rule = template["Resources"]["TaskEventsFunction"]["Properties"]["Events"]["TaskChanged"]["Properties"]["Pattern"]
    assert ([event.source], [event.detail_type]) == (rule["source"], rule["detail-type"])
    detail = TypeAdapter(dict[str, Any]).validate_python(event.detail)
    assert {"clusterArn", "group"} == set(rule["detail"]), "whatever the task's status is"
    assert _matches(detail["group"], rule["detail"]["group"])
    task = AgentTask.model_validate(detail)
    run_task = definition["States"]["Run Agent"]["Arguments"]
    (override,) = run_task["Overrides"]["ContainerOverrides"]
    for variable in override["Environment"]:
        assert task.variable(variable["Name"])
    assert run_task["Group"] == "{% 'session:' & $session.session_id %}"
    assert task.variable("SESSION_ID") == session_of_group(detail["group"])
    assert (task.lastStatus, task.ip) == (status, "10.0.2.133")
    assert task.stoppedReason in task.end
