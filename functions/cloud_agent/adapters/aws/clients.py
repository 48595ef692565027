"""The AWS clients of a Lambda worker, each made once: to make one takes longer than most calls, and opens a connection.

A worker handles one invocation at a time, so that nobody shares them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient


@cache
def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """Any service's client, by the service's name in boto3."""
    factory: Any = boto3.client  # its overloads take a literal name, not a variable
    return factory(service)


@cache
def dynamodb() -> DynamoDBServiceResource:
    """DynamoDB, in Python's own types."""
    return boto3.resource("dynamodb")


@cache
def table(name: str) -> Table:
    """Return a table; every `.Table(name)` of boto3 makes a class anew."""
    return dynamodb().Table(name)


@cache
def step_functions() -> SFNClient:
    """Step Functions."""
    return boto3.client("stepfunctions")


@cache
def ecs() -> ECSClient:
    """ECS."""
    return boto3.client("ecs")


@cache
def secrets_manager() -> SecretsManagerClient:
    """Secrets Manager."""
    return boto3.client("secretsmanager")
