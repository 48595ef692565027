"""The Agent API is sent what its contract describes, and what it doesn't: Schemathesis makes up both.

A request of the contract is carried out, any other is refused by the status that the contract has for it, and every
response is as described. `make fuzz` tries many more.
"""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from contracts.generator.documents import CONTRACTS
from hypothesis import settings
from schemathesis.checks import CHECKS
from tests.kit.fuzzing import FUZZED
from tests.kit.http_api import HttpApi
from tests.kit.memory import peak_bytes
from tests.kit.sessions import SAMPLED_SESSION, SAMPLED_TOKEN, a_sampled_row

from cloud_agent.agent_api.handler import handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.service_resource import Bucket
    from schemathesis import Case
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.conftest import Context

URL = "http://agent-api"
SESSION = a_sampled_row(
    installation_id=99,
    execution_arn=f"arn:aws:states:us-east-1:123456789012:execution:test-session:{SAMPLED_SESSION}",
)
UNCHECKED = {
    "unsupported_method",  # an unknown route is 404, whatever the method
    "ignored_auth",  # sends requests of its own past the session; test_agent_api.py has every token that opens nothing
}
# Nobody has created the secrets that are asked for; JSON Schema can't say how many bytes a batch may have, or what a
# PNG is.
REFUSED_THOUGH_DESCRIBED = {
    "/agent/environment": {"positive_data_acceptance"},
    "/agent/transcript": {"positive_data_acceptance"},
    "/agent/picture": {"positive_data_acceptance"},
}

_whole = schemathesis.openapi.from_path(str(CONTRACTS / "agent_api.openapi.json"))
# The transcript's many kinds of events take half a minute.
schema = _whole if settings.get_current_profile_name() == "fuzz" else _whole.exclude(path="/agent/transcript")


@pytest.fixture
def session(
    environment: Callable[..., None], step_functions: StepFunctions, table: Table, bucket: Bucket, context: Context
) -> requests.Session:
    """A client of the API, for which a session runs at each request, whatever an earlier one has done to it."""

    def respond(event: dict[str, Any]) -> dict[str, Any]:
        table.put_item(Item=SESSION)
        return dict(handler(event, context))

    client = requests.Session()
    client.mount(URL, HttpApi(respond))
    client.headers["Authorization"] = f"Bearer {SAMPLED_TOKEN}"
    return client


@schema.parametrize()
@FUZZED
def test_whatever_is_sent_is_answered_as_the_contract_says(session: requests.Session, case: Case[Any]) -> None:
    names = UNCHECKED | REFUSED_THOUGH_DESCRIBED.get(case.path, set())
    left_out: list[Any] = [CHECKS.get_one(name) for name in names]
    case.call_and_validate(base_url=URL, session=session, excluded_checks=left_out)


@pytest.mark.parametrize("body", [b"\xff", b'{"task_token": "\xc3"}', "ü".encode("latin-1")])
def test_a_body_that_is_no_text_is_a_bad_request(session: requests.Session, body: bytes) -> None:
    response = session.post(f"{URL}/agent/heartbeat", body)

    assert response.status_code == 400
    assert response.json()["message"].startswith("The request body is not as expected: ")


def test_a_body_that_is_longer_than_any_report_is_not_read(session: requests.Session) -> None:
    body = b'{"task_token": "t"%s}' % (b" " * 500_000)

    assert session.post(f"{URL}/agent/heartbeat", body).status_code == 400
    assert session.post(f"{URL}/agent/heartbeat", body.replace(b" ", b"")).status_code == 200


@pytest.mark.parametrize("part", [b"[]", b"{}", b"1", b'"\xc3\xa9"'])
@pytest.mark.parametrize("parts", [20_000, 200_000])
def test_a_body_takes_memory_by_its_length_alone(session: requests.Session, part: bytes, parts: int) -> None:
    body = b'{"task_token": [%s]}' % b",".join([part] * parts)

    def send() -> None:
        assert session.post(f"{URL}/agent/heartbeat", body).status_code == 400

    send()  # once before: what is imported or cached at the first request isn't the body's
    assert peak_bytes(send) < 60 * len(body)


@pytest.mark.parametrize(
    ("path", "report"),
    [
        ("/agent/preview", {"state": "up"}),
        ("/agent/ready", {"task_token": "t", "port": "3000"}),
        ("/agent/ready", {"task_token": "t", "port": 3000, "limits": {"ready_for_review": "yes"}}),
    ],
)
def test_a_value_of_another_type_is_a_bad_request(session: requests.Session, path: str, report: object) -> None:
    assert session.post(f"{URL}{path}", json.dumps(report)).status_code == 400
