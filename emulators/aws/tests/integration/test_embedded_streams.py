"""A table's stream calls a function as its event source mapping says, under IAM, deployed as SAM deploys it."""

from __future__ import annotations

import json
import time
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

# Writes down what it is given, one line for each invocation; fails for the row POISON, waits at the row SLOW.
CONSUMER = """
    import json, os, pathlib, time
    calls = pathlib.Path(os.environ["CALLS"])
    def handler(event, context):
        records = event.get("Records", [])
        seen = [f"{r['eventName']} {r['dynamodb']['Keys']['sk']['S']}" for r in records]
        with calls.open("a") as file:
            file.write(json.dumps(seen if records else event) + "\\n")
        if any(line.endswith(" SLOW") for line in seen):
            while not calls.with_suffix(".release").exists():
                time.sleep(0.05)
        if any(line.endswith(" POISON") for line in seen):
            raise ValueError("poison")
"""
TABLE: Json = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
    },
}


@dataclass
class Stream:
    """A deployed table with the function that reads its stream."""

    aws: EmbeddedAws
    table: str
    function: str
    queue: str
    calls: Path

    def put(self, *names: str) -> None:
        for name in names:
            item = {"pk": {"S": "1"}, "sk": {"S": name}, "written": {"S": uuid.uuid4().hex}}
            self.aws.client("dynamodb").put_item(TableName=self.table, Item=item)

    def seen(self) -> list[list[str]]:
        """What each invocation was given."""
        return [json.loads(line) for line in self.calls.read_text().splitlines()] if self.calls.exists() else []

    def failure(self) -> Json | None:
        """The next failure record in the queue."""
        messages = self.aws.client("sqs").receive_message(QueueUrl=self.queue).get("Messages")
        return json.loads(messages[0]["Body"]) if messages else None

    def map(self, starting_position: str, **settings: object) -> str:
        """Read the stream from there on, by the API, and return the mapping's id."""
        source = self.aws.client("dynamodb").describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        answer = self.aws.client("lambda").create_event_source_mapping(
            EventSourceArn=source, FunctionName=self.function, StartingPosition=starting_position, **settings
        )
        return str(answer["UUID"])


@pytest.fixture
def deploy(strict_aws: EmbeddedAws, tmp_path: Path) -> Callable[..., Stream]:
    """Deploy a table and a function; with settings, the function reads the table's stream."""

    def make(events: Json | None = None) -> Stream:
        calls = tmp_path / uuid.uuid4().hex
        function = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "InlineCode": dedent(CONSUMER),
                "Handler": "index.handler",
                "Runtime": "python3.11",
                "Timeout": 30,
                "Environment": {"Variables": {"CALLS": str(calls)}},
                "Events": events or {},
            },
        }
        template = {
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {"Table": TABLE, "Failures": {"Type": "AWS::SQS::Queue"}, "Consumer": function},
            "Outputs": {
                "Table": {"Value": {"Ref": "Table"}},
                "Function": {"Value": {"Ref": "Consumer"}},
                "Queue": {"Value": {"Ref": "Failures"}},
            },
        }
        stack = strict_aws.deploy(template)
        return Stream(strict_aws, stack["Table"], stack["Function"], stack["Queue"], calls)

    return make


def rows(**settings: object) -> Json:
    source = {"Stream": {"Fn::GetAtt": ["Table", "StreamArn"]}, "StartingPosition": "LATEST", **settings}
    return {"Rows": {"Type": "DynamoDB", "Properties": source}}


def given_up(**settings: object) -> Json:
    queue = {"Type": "SQS", "Destination": {"Fn::GetAtt": ["Failures", "Arn"]}}
    return rows(DestinationConfig={"OnFailure": queue}, **settings)


def flat(seen: list[list[str]]) -> list[str]:
    return [line for call in seen for line in call]


def test_the_rows_that_pass_the_filter_come_in_the_order_in_which_they_were_written(
    deploy: Callable[..., Stream],
) -> None:
    patterns = ({"sk": {"S": [{"prefix": "PROMPT#"}]}}, {"sk": {"S": ["SESSION"]}})
    filters = [{"Pattern": json.dumps({"dynamodb": {"Keys": keys}})} for keys in patterns]
    stream = deploy(rows(FilterCriteria={"Filters": filters}, BatchSize=2))
    stream.put("SESSION", "TURN_RESULT#1", "PROMPT#1")
    dynamodb, key = stream.aws.client("dynamodb"), {"pk": {"S": "1"}, "sk": {"S": "SESSION"}}
    update: Json = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    dynamodb.transact_write_items(
        TransactItems=[
            {"Update": {"TableName": stream.table, "Key": key, **update}},
            {"Put": {"TableName": stream.table, "Item": {**key, "sk": {"S": "PROMPT#2"}}}},
        ]
    )
    dynamodb.update_item(TableName=stream.table, Key=key, **update)  # changes nothing, so is no record
    dynamodb.delete_item(TableName=stream.table, Key=key)
    eventually(lambda: "REMOVE SESSION" in flat(stream.seen()))
    expected = ["INSERT SESSION", "INSERT PROMPT#1", "MODIFY SESSION", "INSERT PROMPT#2", "REMOVE SESSION"]
    assert expected == flat(stream.seen())
    assert max(map(len, stream.seen())) <= 2


def test_a_row_that_always_fails_is_given_up_after_its_retries_and_the_next_one_comes(
    deploy: Callable[..., Stream],
) -> None:
    stream = deploy(given_up(BatchSize=1, MaximumRetryAttempts=2))
    stream.put("POISON", "after")
    eventually(lambda: "INSERT after" in flat(stream.seen()))
    assert stream.seen() == [["INSERT POISON"]] * 3 + [["INSERT after"]]
    failure = eventually(stream.failure)
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert failure["DDBStreamBatchInfo"]["batchSize"] == 1


def test_no_retry_means_one_call(deploy: Callable[..., Stream]) -> None:
    stream = deploy(given_up(BatchSize=1, MaximumRetryAttempts=0))
    stream.put("POISON", "after")
    eventually(lambda: "INSERT after" in flat(stream.seen()))
    assert stream.seen() == [["INSERT POISON"], ["INSERT after"]]


def test_a_batch_that_fails_is_halved_until_the_row_at_fault_is_alone(deploy: Callable[..., Stream]) -> None:
    stream = deploy()
    stream.put("a", "b", "POISON", "c")
    stream.map("TRIM_HORIZON", BatchSize=10, BisectBatchOnFunctionError=True, MaximumRetryAttempts=1)
    eventually(lambda: ["INSERT c"] in stream.seen())
    a, b, poison, c = "INSERT a", "INSERT b", "INSERT POISON", "INSERT c"
    assert [[a, b, poison, c], [a, b], [poison, c], [poison], [poison], [c]] == stream.seen()


def test_a_row_that_is_too_old_is_given_up_whatever_its_retries(deploy: Callable[..., Stream]) -> None:
    stream = deploy(given_up(BatchSize=1, MaximumRecordAgeInSeconds=1))
    stream.put("POISON", "after")
    eventually(lambda: "INSERT after" in flat(stream.seen()))
    assert eventually(stream.failure)["requestContext"]["condition"] == "MaxRecordAgeExceeded"


def test_a_batch_that_is_not_full_waits_for_more_as_long_as_its_window_says(deploy: Callable[..., Stream]) -> None:
    stream = deploy(rows(BatchSize=3, MaximumBatchingWindowInSeconds=4))
    for name in ("a", "b"):
        stream.put(name)
        time.sleep(0.3)  # without a window, the first is delivered by now
    eventually(stream.seen)
    assert stream.seen() == [["INSERT a", "INSERT b"]]


def test_a_full_batch_waits_for_no_window(deploy: Callable[..., Stream]) -> None:
    stream = deploy(rows(BatchSize=2, MaximumBatchingWindowInSeconds=300))
    stream.put("a", "b")
    eventually(stream.seen)
    assert stream.seen() == [["INSERT a", "INSERT b"]]


def test_the_latest_position_is_where_the_stream_ends_when_the_mapping_is_made(deploy: Callable[..., Stream]) -> None:
    stream = deploy()
    stream.put("before")
    stream.map("LATEST", BatchSize=10)
    stream.put("after")
    eventually(stream.seen)
    assert flat(stream.seen()) == ["INSERT after"]


def test_a_function_that_is_busy_holds_up_no_other_stream(deploy: Callable[..., Stream]) -> None:
    slow, quick = deploy(rows()), deploy(rows())
    slow.put("SLOW")
    eventually(slow.seen)
    slow.put("behind")
    quick.put("ahead")
    eventually(quick.seen)
    assert slow.seen() == [["INSERT SLOW"]]
    slow.calls.with_suffix(".release").touch()
    eventually(lambda: len(slow.seen()) > 1)
    assert flat(slow.seen()) == ["INSERT SLOW", "INSERT behind"]


def test_a_mapping_that_is_deleted_tries_its_failing_row_no_more(deploy: Callable[..., Stream]) -> None:
    stream = deploy()
    mapping = stream.map("LATEST", BatchSize=1)
    stream.put("POISON")
    eventually(lambda: len(stream.seen()) > 1)
    stream.aws.client("lambda").delete_event_source_mapping(UUID=mapping)
    stream.map("LATEST", BatchSize=1)
    stream.put("after")
    eventually(lambda: "INSERT after" in flat(stream.seen()))
    time.sleep(1.2)  # more than twice the pause between two tries
    assert flat(stream.seen())[-1] == "INSERT after"


def test_a_schedule_is_a_rule_whose_target_is_the_function(deploy: Callable[..., Stream]) -> None:
    schedule = {"Schedule": "rate(1 minute)", "Description": "every minute"}
    stream = deploy({"EveryMinute": {"Type": "Schedule", "Properties": schedule}})
    events = stream.aws.client("events")
    arn = stream.aws.client("lambda").get_function(FunctionName=stream.function)["Configuration"]["FunctionArn"]
    (name,) = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
    rule: Any = events.describe_rule(Name=name)
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
