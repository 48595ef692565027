"""Executions, tasks and rows are listed, described and guarded under IAM."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.testing import EmbeddedAws, Json

ARN = "arn:aws:{service}:us-east-1:000000000000:{resource}"
# Makes the calls it is asked for, with its own permissions, and returns what each gave or how it was refused.
CALLER = """
    import boto3, json
    from botocore.exceptions import ClientError
    def handler(event, context):
        seen = []
        for service, operation, arguments in event:
            try:
                answer = getattr(boto3.client(service), operation)(**arguments)
                answer.pop("ResponseMetadata")
                seen.append(json.loads(json.dumps(answer, default=str)))
            except ClientError as error:
                seen.append(error.response["Error"]["Code"])
        return seen
"""
DENIED = "AccessDeniedException"
SLEEP = "import time; time.sleep(300)"


@pytest.fixture
def call(strict_aws: EmbeddedAws) -> Callable[..., list[Any]]:
    """Make calls (service, operation, arguments) as a function that is allowed the statements."""

    def make(calls: list[tuple[str, str, Json]], *statements: tuple[object, ...]) -> list[Any]:
        allowed = strict_aws.role("lambda.amazonaws.com", *statements)
        return list(strict_aws.invoke(strict_aws.function(CALLER, role=allowed, Timeout=30), calls))

    return make


def test_executions_are_listed_by_status_and_described(strict_aws: EmbeddedAws, call: Callable[..., list[Any]]) -> None:
    machine = strict_aws.machine(
        {"Wait": {"Type": "Wait", "Seconds": 300, "End": True}}, role=strict_aws.role("states.amazonaws.com")
    )
    running, over = (
        strict_aws.client("stepfunctions").start_execution(stateMachineArn=machine, name=name)["executionArn"]
        for name in ("running", "over")
    )
    strict_aws.client("stepfunctions").stop_execution(executionArn=over, error="Over")
    executions = machine.replace(":stateMachine:", ":execution:") + ":*"
    listed, described, ended, refused = call(
        [
            ("stepfunctions", "list_executions", {"stateMachineArn": machine, "statusFilter": "RUNNING"}),
            ("stepfunctions", "describe_execution", {"executionArn": running}),
            ("stepfunctions", "describe_execution", {"executionArn": over}),
            ("stepfunctions", "stop_execution", {"executionArn": running}),
        ],
        ("states:ListExecutions", machine),
        ("states:DescribeExecution", executions),
    )
    assert [running] == [execution["executionArn"] for execution in listed["executions"]]
    assert (described["status"], ended["status"], ended["error"], refused) == ("RUNNING", "ABORTED", "Over", DENIED)


@pytest.mark.parametrize("name_cluster_by", ["name", "ARN"])
def test_tasks_are_listed_by_family_and_status_in_one_cluster(
    strict_aws: EmbeddedAws, call: Callable[..., list[Any]], name_cluster_by: str
) -> None:
    live, over = strict_aws.run_task(SLEEP), strict_aws.run_task("pass")
    family = {
        arn: strict_aws.task(arn)["taskDefinitionArn"].rsplit("/", 1)[-1].rsplit(":", 1)[0] for arn in (live, over)
    }
    strict_aws.task_when(over, "STOPPED")
    arn = ARN.format(service="ecs", resource=f"cluster/{strict_aws.cluster}")
    cluster = {"cluster": arn if name_cluster_by == "ARN" else strict_aws.cluster}
    other = strict_aws.client("ecs").create_cluster(clusterName=f"other-{uuid.uuid4().hex[:8]}")["cluster"]
    calls = [
        ("ecs", "list_tasks", {**cluster, "family": family[live]}),
        ("ecs", "list_tasks", {**cluster, "family": family[over]}),
        ("ecs", "list_tasks", {**cluster, "family": family[over], "desiredStatus": "STOPPED"}),
        ("ecs", "list_tasks", {"cluster": other["clusterArn"]}),
        ("ecs", "describe_tasks", {**cluster, "tasks": [live]}),
    ]
    in_cluster = {"ArnEquals": {"ecs:cluster": arn}}
    tasks = ARN.format(service="ecs", resource=f"task/{strict_aws.cluster}/*")
    *listed, described = call(calls, ("ecs:ListTasks", "*", in_cluster), ("ecs:DescribeTasks", tasks, in_cluster))
    assert [live] == [task["taskArn"] for task in described["tasks"]]
    assert [[live], [], [over], DENIED] == [one if isinstance(one, str) else one["taskArns"] for one in listed]
    strict_aws.client("ecs").stop_task(cluster=strict_aws.cluster, task=live)


@pytest.fixture
def orders(strict_aws: EmbeddedAws) -> str:
    """The name of a table with the keys pk and sk."""
    name = f"table-{uuid.uuid4().hex[:8]}"
    strict_aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return name


def update(table: str, pk: str, expression: str, **more: object) -> tuple[str, str, Json]:
    arguments = {
        "TableName": table,
        "Key": {"pk": {"S": pk}, "sk": {"S": "ORDER"}},
        "UpdateExpression": expression,
        "ExpressionAttributeValues": {":v": {"S": "2026-11-22T10:00:00.000Z"}},
        **more,
    }
    return "dynamodb", "update_item", arguments


def test_a_role_may_be_bound_to_some_rows_and_some_attributes(orders: str, call: Callable[..., list[Any]]) -> None:
    condition = {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["ORDER#*"]},
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "last_seen_at"]},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": ["NONE", "UPDATED_NEW"]},
    }
    seen_at, name = "SET last_seen_at = :v", {"ExpressionAttributeNames": {"#n": "status"}}
    seen = call(
        [
            update(orders, "ORDER#1", seen_at),
            update(orders, "ORDER#1", seen_at, ConditionExpression="attribute_exists(pk) AND last_seen_at <= :v"),
            update(orders, "STOCK", seen_at),
            update(orders, "ORDER#1", "SET last_seen_at = :v, ending = :v"),
            update(orders, "ORDER#1", "SET #n = :v", **name),
            update(orders, "ORDER#1", "SET last_seen_at = if_not_exists(secret, :v)"),
            update(orders, "ORDER#1", seen_at, ReturnValues="ALL_OLD"),
        ],
        ("dynamodb:UpdateItem", ARN.format(service="dynamodb", resource=f"table/{orders}"), condition),
    )
    assert [answer != DENIED for answer in seen] == [True, True, False, False, False, False, False], json.dumps(seen)


def test_the_rows_of_a_query_and_of_a_transaction_are_known_too(orders: str, call: Callable[..., list[Any]]) -> None:
    def query(pk: str) -> tuple[str, str, Json]:
        condition = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}
        return "dynamodb", "query", {"TableName": orders, **condition}

    def transaction(*keys: str) -> tuple[str, str, Json]:
        puts = [{"Put": {"TableName": orders, "Item": {"pk": {"S": key}, "sk": {"S": "1"}}}} for key in keys]
        return "dynamodb", "transact_write_items", {"TransactItems": puts}

    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["ORDER#*"]}}
    seen = call(
        [query("ORDER#1"), query("STOCK"), transaction("ORDER#1", "ORDER#2"), transaction("ORDER#1", "STOCK")],
        ("dynamodb:Query", ARN.format(service="dynamodb", resource=f"table/{orders}"), condition),
        ("dynamodb:PutItem", ARN.format(service="dynamodb", resource=f"table/{orders}"), condition),
    )
    assert [answer != DENIED for answer in seen] == [True, False, True, False], json.dumps(seen)
