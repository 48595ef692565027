"""Events that nobody could work off: tried again, then kept in a queue, deployed as SAM deploys it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedded_aws.testing import EmbeddedAws, Json

# Writes down the event's name; fails for POISON always and for STUMBLE the first time.
CONSUMER = """
    import os, pathlib
    calls = pathlib.Path(os.environ["CALLS"])
    def handler(event, context):
        name = event["detail"]["name"]
        stumbled = calls.exists() and name in calls.read_text()
        with calls.open("a") as file:
            file.write(name + "\\n")
        if name == "POISON" or name == "STUMBLE" and not stumbled:
            raise ValueError("poison")
"""


@dataclass
class Rule:
    """A deployed rule, its function and the queue for what fails."""

    aws: EmbeddedAws
    source: str
    function: str
    queue: str
    calls: Path

    def send(self, name: str) -> None:
        entry = {"Source": self.source, "DetailType": "Named", "Detail": json.dumps({"name": name})}
        answer = self.aws.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    def seen(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def failures(self) -> list[Json]:
        answer = self.aws.client("sqs").receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))


@pytest.fixture
def deploy(strict_aws: EmbeddedAws, tmp_path: Path) -> Callable[..., Rule]:
    """Deploy a rule with a function whose invocation is configured so."""

    def make(**invocation: object) -> Rule:
        calls, source = tmp_path / uuid.uuid4().hex, f"tests.{uuid.uuid4().hex}"
        queue = {"Fn::GetAtt": ["Failures", "Arn"]}
        event = {"Pattern": {"source": [source]}, "DeadLetterConfig": {"Arn": queue}}
        function = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "InlineCode": dedent(CONSUMER),
                "Handler": "index.handler",
                "Runtime": "python3.11",
                "Timeout": 30,
                "Environment": {"Variables": {"CALLS": str(calls)}},
                "EventInvokeConfig": {
                    "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": queue}},
                    **invocation,
                },
                "Events": {"Named": {"Type": "EventBridgeRule", "Properties": event}},
            },
        }
        template = {
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {"Failures": {"Type": "AWS::SQS::Queue"}, "Consumer": function},
            "Outputs": {"Function": {"Value": {"Ref": "Consumer"}}, "Queue": {"Value": {"Ref": "Failures"}}},
        }
        stack = strict_aws.deploy(template)
        return Rule(strict_aws, source, stack["Function"], stack["Queue"], calls)

    return make


def test_an_event_that_always_fails_is_tried_as_often_as_declared_and_kept_with_its_error(
    deploy: Callable[..., Rule],
) -> None:
    rule = deploy(MaximumRetryAttempts=1)
    rule.send("POISON")
    (message,) = eventually(rule.failures, 15)
    assert rule.seen() == ["POISON", "POISON"]
    failure: Any = json.loads(message["Body"])
    assert (
        failure["requestContext"]["condition"],
        failure["requestPayload"]["detail"]["name"],
    ) == ("RetriesExhausted", "POISON")
    assert failure["responsePayload"]["errorType"] == "ValueError"


def test_no_retry_means_one_call(deploy: Callable[..., Rule]) -> None:
    rule = deploy(MaximumRetryAttempts=0)
    rule.send("POISON")
    assert len(eventually(rule.failures, 15)) == 1
    assert rule.seen() == ["POISON"]


def test_an_event_that_succeeds_at_its_second_try_is_kept_nowhere(deploy: Callable[..., Rule]) -> None:
    rule = deploy(MaximumRetryAttempts=2)
    rule.send("STUMBLE")
    eventually(lambda: rule.seen() == ["STUMBLE", "STUMBLE"], 15)
    rule.send("POISON")  # whose failure comes last: the queue holds no other
    (message,) = eventually(rule.failures, 15)
    assert json.loads(message["Body"])["requestPayload"]["detail"]["name"] == "POISON"


def test_an_event_whose_function_is_gone_is_kept_as_it_came_with_the_cause(deploy: Callable[..., Rule]) -> None:
    rule = deploy()
    rule.aws.client("lambda").delete_function(FunctionName=rule.function)
    rule.send("LOST")
    (message,) = eventually(rule.failures, 15)
    assert json.loads(message["Body"])["detail"]["name"] == "LOST"
    attributes = {name: attribute["StringValue"] for name, attribute in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "NO_RESOURCE"
    assert rule.function in attributes["TARGET_ARN"]
    assert ":rule/" in attributes["RULE_ARN"]
