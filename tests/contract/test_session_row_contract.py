"""contracts/session_row.json: one row, read by every unit that reads rows, and the schema that all rows keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from aiodynamo.utils import dy2py
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from tests.kit.session_row_contract import objections_to_row, row_schema, sample_row

from cloud_agent.domain.session.agent_reports import HostHeader
from cloud_agent.domain.session.session import LIVE, Session, SessionStatus
from cloud_agent_local.status import standing
from cloud_agent_proxy import session as proxy

if TYPE_CHECKING:
    Document = dict[str, Any]


@pytest.fixture
def stored() -> Document:
    """The sample as DynamoDB stores it."""
    return {name: TypeSerializer().serialize(value) for name, value in sample_row().items()}


def _readers(unit: str) -> set[str]:
    return {name for name, attribute in row_schema()["properties"].items() if unit in attribute["x-readers"]}


def test_the_sample_is_a_row_and_has_every_attribute_that_there_is() -> None:
    assert objections_to_row(sample_row()) == []
    assert set(sample_row()) == set(row_schema()["properties"])


@pytest.mark.parametrize("name", ["status", "ip", "port", "host_header", "ending", "preview", "cost_usd"])
def test_an_attribute_of_another_type_is_no_attribute_of_a_row(name: str) -> None:
    assert objections_to_row(sample_row() | {name: ["x"]}) != []


def test_an_attribute_that_nobody_knows_is_none_of_a_row() -> None:
    assert objections_to_row(sample_row() | {"last_result": ""}) != []


def test_the_functions_read_every_attribute_of_theirs(stored: Document) -> None:
    row = {name: TypeDeserializer().deserialize(value) for name, value in stored.items()}

    read = Session.model_validate(row).model_dump()

    assert set(read) == _readers("functions")
    assert read == {name: sample_row()[name] for name in read}


def test_the_proxy_reads_every_attribute_of_its(stored: Document) -> None:
    """Each is taken away in turn: what it reads is then something else."""
    item = dy2py(stored, float)
    whole = _proxys(item)

    assert whole.repo == "acme/storefront"
    assert (str(whole.ip), whole.port, whole.preview_port) == ("10.0.12.34", 3000, 23300)
    assert whole.host_header is proxy.HostHeader.PUBLIC
    assert whole.preview is not None
    assert whole.preview.model_dump() == sample_row()["preview"]
    assert (whole.pull_number, whole.pull_url) == (43, "https://github.com/acme/storefront/pull/43")
    assert whole.container_reported
    for name in _readers("proxy") - {"pk", "status"}:
        assert _proxys({other: value for other, value in item.items() if other != name}) != whole, name


def _proxys(item: Document) -> proxy.Session:
    return proxy.Session.model_validate(item | {"id": item["pk"].removeprefix("SESSION#")})


def test_local_status_reads_a_row(stored: Document) -> None:
    row = {name: str(next(iter(value.values()))) for name, value in stored.items()}

    assert standing(row, waiting=[]) == "The pull request was closed."
    assert standing({**row, "end_reason": ""}, waiting=[]) == "Edit src/cart.py"
    assert standing({**row, "status": "QUEUED"}, waiting=["09e22a8b", row["session_id"]]) == "place 2 of 2"
    assert {"session_id", "status", "repo", "issue_number", "created_at"} <= set(row_schema()["required"])


def test_the_workflow_has_conditions_on_attributes_that_there_are() -> None:
    assert _readers("workflow") == {"status", "ending", "task_arn", "task_stopped_reason"}


def test_the_workflow_writes_a_row_of_attributes_that_there_are(definition: Document) -> None:
    row = definition["States"]["Prepare Session"]["Assign"]["row"]

    assert set(row_schema()["required"]) - {"token_hash"} <= set(row)
    assert set(row) <= set(row_schema()["properties"])


def test_functions_and_proxy_know_the_same_statuses() -> None:
    names = [status.value for status in SessionStatus]
    assert [status.value for status in proxy.SessionStatus] == names == row_schema()["$defs"]["SessionStatus"]["enum"]
    live = {status.value for status in proxy.SessionStatus if not status.is_final}
    assert live == {status.value for status in LIVE}


def test_functions_and_proxy_know_the_same_host_headers() -> None:
    assert list(proxy.HostHeader) == list(get_args(HostHeader)) == row_schema()["properties"]["host_header"]["enum"]
