"""`cloud-agent transcript`: both streams in the order in which things happened, and the conversation alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from tests.kit.sessions import TABLE

from cloud_agent_cli.targets import Target
from cloud_agent_cli.transcript import Form, TranscriptError, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

ID, STACK = "09e22a8b", "a-stack"
PROMPT = {"title": "Greet", "body": "Please.", "id": "0" * 26}
AGENT: list[list[dict[str, Any]]] = [
    [{"kind": "prompt", "at": "2026-11-22T08:00:01.000Z", "prompt": PROMPT}],
    [
        {"kind": "message", "at": "2026-11-22T08:00:03.000Z", "text": "I'll look.\u2028", "parent": None},
        {"kind": "tool_call", "at": "2026-11-22T08:00:04.000Z", "id": "t", "tool": "Read", "input": {}, "parent": "p"},
        {"kind": "tool_result", "at": "2026-11-22T08:00:05.000Z", "id": "t", "is_error": False, "text": "def"},
    ],
]
WORKFLOW: list[list[dict[str, Any]]] = [
    [{"kind": "status", "at": "2026-11-22T08:00:02.000Z", "status": "RUNNING", "reason": ""}]
]


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """A stack whose table counts two batches of the agent, of three that there are."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    resources = {
        "SessionsTable": {"Type": "AWS::DynamoDB::Table", "Properties": TABLE | {"TableName": "sessions"}},
        "ArtifactsBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "artifacts"}},
    }
    with mock_aws():
        client: Any = boto3.client
        client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": resources}))
        for stream, batches in (("agent", [*AGENT, AGENT[0]]), ("workflow", WORKFLOW)):
            seq = 0
            for number, events in enumerate(batches, 1):
                numbered = [{"v": 1, "seq": (seq := seq + 1), **event} for event in events]
                text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in numbered)
                key = f"transcripts/{ID}/{stream}/{number:010d}.jsonl"
                client("s3").put_object(Bucket="artifacts", Key=key, Body=text.encode())
        item = {"pk": {"S": f"SESSION#{ID}"}, "sk": {"S": "TRANSCRIPT"}}
        counted = {"agent_batches": {"N": "2"}, "workflow_batches": {"N": "1"}}
        client("dynamodb").put_item(TableName="sessions", Item=item | counted)
        yield Target(STACK, "here", client)


def test_every_event_that_is_counted_is_printed_in_the_order_of_its_time(target: Target) -> None:
    events = [json.loads(line) for line in lines(target, ID, Form.JSONL)]
    assert [event["kind"] for event in events] == ["prompt", "status", "message", "tool_call", "tool_result"]


def test_the_conversation_is_printed_as_claude_code_keeps_it(target: Target) -> None:
    said = [json.loads(line) for line in lines(target, ID, Form.CLAUDE_CODE)]

    assert [one["type"] for one in said] == ["user", "assistant", "assistant", "user"]
    assert [one["message"]["content"][0]["type"] for one in said] == ["text", "text", "tool_use", "tool_result"]
    assert [one["isSidechain"] for one in said] == [False, False, True, False]
    assert [one["parentUuid"] for one in said] == [None, *(one["uuid"] for one in said[:-1])]
    assert said[0]["message"]["content"][0]["text"] == "Greet\n\nPlease."


def test_a_session_of_which_nothing_is_kept_is_said_so(target: Target) -> None:
    with pytest.raises(TranscriptError, match="No transcript of session 0badcafe is kept"):
        list(lines(target, "0badcafe", Form.JSONL))


def test_a_stack_that_is_not_there_is_said_so(target: Target) -> None:
    with pytest.raises(TranscriptError, match="can't be read"):
        list(lines(Target("another", "here", target.client), ID, Form.JSONL))
