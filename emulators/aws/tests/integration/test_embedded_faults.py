"""Requests to the embedded AWS fail as planned, by API and by state machine alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedded_aws.testing import EmbeddedAws, Json

    Plan = Callable[..., None]

NO_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"


@pytest.fixture
def plan(aws: EmbeddedAws) -> Iterator[Plan]:
    """Plan a fault; when the test ends nothing fails any more."""

    def make(**fault: object) -> None:
        httpx.post(f"{aws.url}/_local/faults", json=fault).raise_for_status()

    yield make
    httpx.delete(f"{aws.url}/_local/faults").raise_for_status()


def code(call: Callable[[], object]) -> str:
    """The error code of a call that is refused."""
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def run_task(aws: EmbeddedAws, definition: str, **fields: object) -> Json:
    arguments = {"Cluster": aws.cluster, "TaskDefinition": definition, "LaunchType": "FARGATE"}
    return {
        "Run": {
            "Type": "Task",
            "Resource": "arn:aws:states:::ecs:runTask",
            "Arguments": arguments,
            "Output": "{% $count($states.result.Tasks) %}",
            "End": True,
            **fields,
        }
    }


def test_without_capacity_run_task_answers_with_a_failure_and_no_task(aws: EmbeddedAws, plan: Plan) -> None:
    plan(kind="no_capacity")
    definition, ecs = aws.define_task(), aws.client("ecs")
    first, second = (
        ecs.run_task(cluster=aws.cluster, taskDefinition=definition, launchType="FARGATE") for _ in range(2)
    )
    assert (first["tasks"], first["failures"]) == ([], [{"reason": NO_CAPACITY}])
    assert (len(second["tasks"]), second["failures"]) == (1, [])


def test_a_state_machine_sees_no_capacity_as_an_ecs_exception(aws: EmbeddedAws, plan: Plan) -> None:
    plan(kind="no_capacity")
    execution = aws.execute(run_task(aws, aws.define_task()))
    assert (execution["status"], execution["error"]) == ("FAILED", "ECS.AmazonECSException")
    assert NO_CAPACITY in execution["cause"]


def test_a_state_machine_that_retries_gets_its_task_when_there_is_room_again(aws: EmbeddedAws, plan: Plan) -> None:
    plan(kind="no_capacity", count=2)
    retry = {"ErrorEquals": ["ECS.AmazonECSException"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1}
    execution = aws.execute(run_task(aws, aws.define_task(), Retry=[retry]))
    assert (execution["status"], execution["output"]) == ("SUCCEEDED", "1")


def test_a_task_that_fails_to_start_is_stopped_without_having_run(aws: EmbeddedAws, plan: Plan) -> None:
    plan(kind="fails_to_start")
    arn = aws.run_task("print('ran')")
    task = aws.task_when(arn, "STOPPED")
    reason = "Timeout waiting for network interface provisioning to complete."
    assert ("TaskFailedToStart", reason) == (task["stopCode"], task["stoppedReason"])
    assert "startedAt" not in task
    assert "exitCode" not in task["containers"][0]
    assert list(aws.log_dir.glob(f"*-{arn.rsplit('/', 1)[-1]}.log")) == []
    assert aws.task_when(aws.run_task("pass"), "STOPPED")["containers"][0]["exitCode"] == 0


def test_a_fault_may_have_its_own_words(aws: EmbeddedAws, plan: Plan) -> None:
    plan(kind="fails_to_start", reason="ResourceInitializationError: unable to pull secrets or registry auth")
    task = aws.task_when(aws.run_task("pass"), "STOPPED")
    assert task["stoppedReason"] == "ResourceInitializationError: unable to pull secrets or registry auth"


def test_the_table_is_throttled_for_the_next_requests_of_one_operation(
    aws: EmbeddedAws, table: str, plan: Plan
) -> None:
    plan(kind="throttled", operation="dynamodb:PutItem", count=2)
    dynamodb, item = aws.client("dynamodb"), {"pk": {"S": "1"}, "sk": {"S": "1"}}
    for _ in range(2):
        assert code(lambda: dynamodb.put_item(TableName=table, Item=item)) == "ProvisionedThroughputExceededException"
    assert "Item" not in dynamodb.get_item(TableName=table, Key=item)
    dynamodb.put_item(TableName=table, Item=item)
    assert item == dynamodb.get_item(TableName=table, Key=item)["Item"]


@pytest.mark.parametrize(
    ("integration", "error"),
    [
        ("aws-sdk:dynamodb", "DynamoDb.ProvisionedThroughputExceededException"),
        ("dynamodb", "DynamoDB.ProvisionedThroughputExceededException"),
    ],
)
def test_a_state_machines_own_calls_are_throttled_too(
    aws: EmbeddedAws, table: str, plan: Plan, integration: str, error: str
) -> None:
    plan(kind="throttled", operation="dynamodb:GetItem")
    arguments = {"TableName": table, "Key": {"pk": {"S": "1"}, "sk": {"S": "1"}}}
    resource = f"arn:aws:states:::{integration}:getItem"
    state = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}
    execution = aws.execute({"Get": state})
    assert ("FAILED", error) == (execution["status"], execution["error"])
    assert aws.execute({"Get": state})["status"] == "SUCCEEDED"


def test_a_function_is_throttled(aws: EmbeddedAws, plan: Plan) -> None:
    function = aws.function("def handler(event, context): return 1")
    plan(kind="throttled", operation="lambda:Invoke")
    assert code(lambda: aws.client("lambda").invoke(FunctionName=function)) == "TooManyRequestsException"
    assert aws.invoke(function) == 1


def test_the_plan_shows_what_is_still_to_come(aws: EmbeddedAws, plan: Plan) -> None:
    plan(kind="no_capacity", count=2)
    definition = aws.define_task()
    aws.client("ecs").run_task(cluster=aws.cluster, taskDefinition=definition)
    (shown,) = httpx.get(f"{aws.url}/_local/faults").json()["faults"]
    assert (shown["operation"], shown["remaining"]) == ("ecs:RunTask", 1)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({}, "kind"),
        ({"kind": "throttled"}, "operation"),
        ({"kind": "throttled", "operation": "s3:GetObject"}, "operation"),
        ({"kind": "no_capacity", "count": 0}, "count"),
        ({"kind": "no_capacity", "for": 1}, "for"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(aws: EmbeddedAws, fault: Json, word: str) -> None:
    answer = httpx.post(f"{aws.url}/_local/faults", content=json.dumps(fault))
    assert answer.status_code == 400
    assert word in answer.json()["message"]
