"""contracts/limits.json: what one unit accepts and another keeps to, the same number on both sides."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract.agent_calls import CALLS, LIMITS, accepted, make_call
from tests.kit.agent_api_contract import AgentApiContract
from tests.kit.http_server import serve_http

from cloud_agent.domain.session import picture
from cloud_agent.domain.session.canary import CANARY_PORT
from cloud_agent.domain.session.session import WATCHED
from cloud_agent.domain.session.transcript import BATCH_LIMIT_BYTES
from cloud_agent.publisher.status import ACTIVITY_INTERVAL
from cloud_agent.workflow.register_ip import RegisterIpEvent
from cloud_agent_proxy.session import AddressRefusedError, Session
from cloud_agent_proxy.session_page.streams import NOTE_SECONDS
from cloud_agent_runner.git.bundle import BUNDLE_LIMIT_BYTES
from cloud_agent_runner.inbox import BUSY_POLL_SECONDS, HEARTBEAT_SECONDS, IDLE_POLL_SECONDS
from cloud_agent_runner.preview.listen_address import DEV_SERVER_PORT, SECOND_PORT
from cloud_agent_runner.preview.warm_start import ARCHIVE_LIMIT_BYTES
from cloud_agent_runner.repository.config_schema import repository_config_schema
from cloud_agent_runner.tool_reports import INTERVAL_SECONDS
from cloud_agent_runner.transcript import events
from cloud_agent_runner.transcript.transcript import GATHER_SECONDS, UNWATCHED_GATHER_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    Document = dict[str, Any]

# Limit -> the model and member of the API that it bounds, and the call that comes up against it.
TEXTS = {
    "turn_result_characters": ("TurnFinished", "result", "turn finished at the limits"),
    "description_characters": ("TurnFinished", "description", "turn finished at the limits"),
    "question_characters": ("TurnFinished", "question", "turn finished at the limits"),
    "preview_detail_characters": ("PreviewReport", "detail", "preview at the limits"),
    "preview_log_characters": ("PreviewReport", "log", "preview at the limits"),
    "failure_message_characters": ("Done", "message", "failed"),
    "tool_name_characters": ("ToolUsed", "tool", "tool used"),
    "tool_detail_characters": ("ToolUsed", "detail", "tool used"),
    "todo_item_characters": ("TodoProgress", "current", "tool used on the to-do list"),
}
NUMBERS = ("idle_minutes", "max_turns", "budget_usd")


@pytest.fixture(scope="module")
def schemas() -> Document:
    """The Agent API's models."""
    return dict(AgentApiContract().document["components"]["schemas"])


@pytest.fixture(scope="module")
def repository_file() -> Document:
    """The keys of a repository's own settings file, as the agent reads them."""
    return dict(repository_config_schema()["properties"])


def _bounds(member: Document) -> Document:
    """Return the bounds of a member that may be null as well."""
    return next((one for one in member.get("anyOf", []) if one["type"] != "null"), member)


@pytest.mark.parametrize("limit", TEXTS)
def test_the_api_accepts_a_text_of_just_the_limit(schemas: Document, limit: str) -> None:
    model, member, _ = TEXTS[limit]
    assert schemas[model]["properties"][member]["maxLength"] == LIMITS[limit]


def test_the_transcript_is_bounded_as_it_says(schemas: Document) -> None:
    assert schemas["MessageEvent"]["properties"]["text"]["maxLength"] == LIMITS["transcript_text_characters"]
    assert schemas["TranscriptBatch"]["properties"]["events"]["maxItems"] == LIMITS["transcript_batch_events"]
    assert LIMITS["transcript_batch_bytes"] == BATCH_LIMIT_BYTES == events.BATCH_LIMIT_BYTES
    assert LIMITS["transcript_text_characters"] == events.TEXT_LIMIT
    assert LIMITS["transcript_batch_events"] == events.EVENTS_LIMIT


def test_the_agent_keeps_no_archive_that_the_api_would_refuse(schemas: Document) -> None:
    size = schemas["DependencyArchive"]["properties"]["size_bytes"]
    assert size["maximum"] == LIMITS["dependency_archive_bytes"] == ARCHIVE_LIMIT_BYTES


def test_the_api_accepts_the_largest_picture_that_the_agent_sends(schemas: Document) -> None:
    encoded = len(b64encode(bytes(LIMITS["picture_bytes"])))
    assert schemas["PictureReport"]["properties"]["png"]["maxLength"] == encoded
    assert LIMITS["picture_bytes"] == picture.LIMIT_BYTES


def test_the_agent_keeps_no_commits_that_the_api_would_refuse(schemas: Document) -> None:
    size = schemas["UnpublishedBundle"]["properties"]["size_bytes"]
    assert size["maximum"] == LIMITS["unpublished_bundle_bytes"] == BUNDLE_LIMIT_BYTES


@pytest.mark.parametrize("limit", TEXTS)
async def test_the_agent_sends_a_text_up_to_the_limit_and_no_more(limit: str) -> None:
    _, member, name = TEXTS[limit]
    with serve_http(accepted) as api:
        await make_call(api, CALLS[name])

    report = json.loads(api.requests[0].body)
    sent = report.get("todo", report)[member]
    assert LIMITS[limit] - 1 <= len(sent) <= LIMITS[limit]  # a text may lose one more where its middle is left out


@pytest.mark.parametrize("limit", NUMBERS)
def test_a_repository_may_ask_for_what_the_api_accepts(
    schemas: Document, repository_file: Document, limit: str
) -> None:
    accepted, offered = _bounds(schemas["WantedLimits"]["properties"][limit]), repository_file[limit]

    assert (accepted["maximum"], offered["maximum"]) == (LIMITS[limit], LIMITS[limit])
    lowest = accepted.get("minimum", accepted.get("exclusiveMinimum"))
    assert offered["minimum"] >= lowest


@pytest.mark.parametrize(
    ("limit", "parameter"), [("idle_minutes", "IdleMinutes"), ("max_turns", "MaxTurns"), ("budget_usd", "MaxBudgetUsd")]
)
def test_a_deployment_allows_no_more_than_the_api_accepts(template: Document, limit: str, parameter: str) -> None:
    assert template["Parameters"][parameter]["MaxValue"] <= LIMITS[limit]


def test_what_a_session_may_spend_can_be_reported(schemas: Document) -> None:
    finished = schemas["TurnFinished"]["properties"]
    reported = {"max_turns": finished["turns"]["maximum"], "budget_usd": finished["cost_usd"]["maximum"]}
    assert reported == {name: LIMITS[name] for name in reported}


def test_both_sides_know_a_secrets_name_and_how_many_there_may_be(schemas: Document, repository_file: Document) -> None:
    accepted, offered = schemas["EnvironmentNames"]["properties"]["names"], repository_file["env"]

    assert accepted["maxItems"] == offered["maxItems"] == LIMITS["secret_names"]
    assert accepted["items"]["pattern"] == offered["items"]["pattern"]


def test_both_sides_know_the_same_host_headers(schemas: Document, repository_file: Document) -> None:
    assert schemas["Ready"]["properties"]["host_header"]["enum"] == repository_file["host_header"]["enum"]


def test_every_port_of_the_range_is_accepted_on_its_whole_way(schemas: Document, root: Path) -> None:
    lowest, highest = LIMITS["lowest_port"], LIMITS["highest_port"]
    ready = schemas["Ready"]["properties"]["port"]
    registered = RegisterIpEvent.model_json_schema()["properties"]["port"]
    haproxy = re.search(r"agent_port .* int (\d+):(\d+)$", (root / "proxy/haproxy.cfg").read_text(), re.MULTILINE)

    assert (ready["minimum"], ready["maximum"]) == (lowest, highest)
    assert (registered["minimum"], registered["maximum"]) == (lowest, highest)
    assert haproxy is not None
    assert haproxy.groups() == (str(lowest), str(highest))


@pytest.mark.parametrize(("limit", "beside"), [("lowest_port", -1), ("highest_port", 1)])
def test_the_proxy_accepts_the_range_and_no_port_beside_it(limit: str, beside: int) -> None:
    assert _address(LIMITS[limit]) == LIMITS[limit]
    with pytest.raises(AddressRefusedError):
        _address(LIMITS[limit] + beside)


def _address(port: int) -> int | None:
    session = Session.model_validate({"id": "6020583d", "status": "RUNNING", "ip": "10.0.0.7", "port": port})
    address = session.address_within(IPv4Network("10.0.0.0/8"))
    return address.port if address else None


def test_a_dev_server_listens_where_the_proxy_may_connect(template: Document) -> None:
    port, second = LIMITS["dev_server_port"], LIMITS["second_port"]
    assert (port, port, second) == (DEV_SERVER_PORT, CANARY_PORT, SECOND_PORT)
    for rule, opened in (("AgentIngress", port), ("AgentSecondIngress", second)):
        properties = template["Resources"][rule]["Properties"]
        assert (properties["FromPort"], properties["ToPort"]) == (opened, opened)


def test_an_agent_may_miss_two_heartbeats(template: Document) -> None:
    assert LIMITS["heartbeat_seconds"] == HEARTBEAT_SECONDS
    silence = template["Parameters"]["AgentHeartbeatTimeoutSeconds"]["Default"]
    assert 3 * LIMITS["heartbeat_seconds"] <= silence


def test_an_agent_asks_as_often_as_agreed() -> None:
    assert (LIMITS["busy_poll_seconds"], LIMITS["idle_poll_seconds"]) == (BUSY_POLL_SECONDS, IDLE_POLL_SECONDS)
    # A request's worth of questions, a tool a second while Claude works: more than that only for moments.
    assert LIMITS["requests_per_second"] == 1 / BUSY_POLL_SECONDS + 1


def test_a_tool_is_reported_when_the_comment_can_be_edited_for_it() -> None:
    assert LIMITS["activity_seconds"] == ACTIVITY_INTERVAL.total_seconds() < INTERVAL_SECONDS


def test_who_has_the_page_open_is_known_to_until_the_next_note() -> None:
    assert LIMITS["watched_note_seconds"] == NOTE_SECONDS
    assert LIMITS["watched_seconds"] == WATCHED.total_seconds() >= 1.5 * NOTE_SECONDS


def test_a_transcript_is_sent_as_often_as_agreed() -> None:
    agreed = (LIMITS["watched_transcript_seconds"], LIMITS["unwatched_transcript_seconds"])
    assert agreed == (GATHER_SECONDS, UNWATCHED_GATHER_SECONDS)


@pytest.mark.parametrize("sessions", ["MinValue", "Default", "MaxValue"])
def test_all_agents_at_once_are_well_below_the_apis_throttle(template: Document, sessions: str) -> None:
    allowed = template["Parameters"]["MaxSessions"][sessions]
    throttle = template["Resources"]["HttpApi"]["Properties"]["DefaultRouteSettings"]
    rate, burst = (
        int(throttle[name]["Fn::Sub"].replace("${MaxSessions}", str(allowed)))
        for name in ("ThrottlingRateLimit", "ThrottlingBurstLimit")
    )
    assert min(rate, burst) >= 5 * LIMITS["requests_per_second"] * allowed
    assert rate <= 10_000  # what API Gateway allows an account in a region unless it is asked for more
