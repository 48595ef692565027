"""Pictures of a session: kept by the hash of their content, as often as there's room, and nothing else is one."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.agent_api_contract import AgentApiContract
from tests.kit.pictures import png
from tests.kit.sessions import SAMPLED_SESSION, a_sampled_row

from cloud_agent.adapters.table import transcript_positions
from cloud_agent.adapters.table.keys import transcript_key
from cloud_agent.agent_api.handler import handler
from cloud_agent.domain.session.picture import LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.service_resource import Bucket
    from tests.unit.functions.conftest import Context

    Send = Callable[[object], tuple[int, dict[str, Any]]]


@pytest.fixture
def send(
    environment: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
    table: Table,
    bucket: Bucket,
    context: Context,
) -> Send:
    """Send a picture as the agent of a running session does; returns status and body, as the contract has them."""
    table.put_item(Item=a_sampled_row())
    contract = AgentApiContract()

    def post(content: object) -> tuple[int, dict[str, Any]]:
        event = sample("agent_api/picture.json")
        event["body"] = json.dumps({"png": b64encode(content).decode() if isinstance(content, bytes) else content})
        response = handler(event, context)
        status, body = int(response["statusCode"]), response["body"]
        assert contract.objections_to_response("POST", "/agent/picture", status, body.encode()) == []
        return status, json.loads(body)

    return post


def _kept(bucket: Bucket) -> dict[str, bytes]:
    return {one.key: one.get()["Body"].read() for one in bucket.objects.all()}


def test_a_picture_is_kept_by_its_hash_where_the_proxy_looks_for_it(send: Send, bucket: Bucket) -> None:
    picture = png(1280, 800)
    name = hashlib.sha256(picture).hexdigest()

    assert send(picture) == (200, {"sha256": name})

    assert _kept(bucket) == {f"transcripts/{SAMPLED_SESSION}/pictures/{name}.png": picture}
    (stored,) = bucket.objects.all()
    assert stored.Object().content_type == "image/png"


def test_a_picture_that_is_sent_again_is_the_same_one(send: Send, bucket: Bucket) -> None:
    assert send(png(1, 1)) == send(png(1, 1))
    assert len(_kept(bucket)) == 1


def test_a_picture_of_just_the_limit_is_kept(send: Send, bucket: Bucket) -> None:
    assert send(png(1280, 2400, size=LIMIT_BYTES))[0] == 200
    assert send(png(1280, 2400, size=LIMIT_BYTES + 1))[0] == 400
    assert len(_kept(bucket)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg onload=alert(1)>",
        b"\x89PNG\r\n\x1a\n",
        png(1, 1)[:-1],
        png(1, 1) + b"<script>",
        b"GIF89a" + png(1, 1)[6:],
        png(1, 1).replace(b"IHDR", b"CgBI"),
        png(0, 1),
        png(1, 0),
        png(1, 10_001),
        png(10_001, 1),
        png(4_001, 4_000),
        "not base64",
        "iVBORw0KGgo",  # without its padding
        7,
        None,
    ],
    ids=range(16),
)
def test_what_is_no_picture_of_a_page_is_refused(send: Send, bucket: Bucket, content: object) -> None:
    assert send(content)[0] == 400
    assert _kept(bucket) == {}


def test_a_session_keeps_so_many_pictures_and_no_more(
    send: Send, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript_positions, "PICTURES_LIMIT", 2)

    names = [send(png(1, 1, shade=shade))[1]["sha256"] for shade in range(3)]

    assert names[2] is None
    assert len(_kept(bucket)) == 2


def test_a_session_keeps_so_many_bytes_of_pictures_and_no_more(
    send: Send, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript_positions, "TOTAL_LIMIT_BYTES", 2_500)

    names = [send(png(1, 1, shade=shade, size=1_000))[1]["sha256"] for shade in range(3)]

    assert names[2] is None
    assert sum(map(len, _kept(bucket).values())) == 2_000


def test_the_count_expires_as_the_session_does(send: Send, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript_positions, "expiry_after_end", lambda: 7)
    send(png(1, 1))

    row = table.get_item(Key=transcript_key(SAMPLED_SESSION))["Item"]
    assert (row["pictures"], row["picture_bytes"], row["expires_at"]) == (1, len(png(1, 1)), 7)


@pytest.mark.parametrize("over", [{"status": "STOPPED"}, {"ending": {"status": "STOPPED", "reason": "Stopped."}}])
def test_a_session_that_ends_or_has_ended_keeps_none(
    send: Send, table: Table, bucket: Bucket, over: dict[str, object]
) -> None:
    table.put_item(Item=a_sampled_row(**over))

    assert send(png(1, 1))[0] == 409
    assert _kept(bucket) == {}
