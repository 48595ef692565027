"""The AWS clients of a Lambda worker, each made once: making one takes longer than most calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from cloud_agent.worker import once_per_worker

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient


@once_per_worker
def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """Any service's client, by the service's name in boto3."""
    factory: Any = boto3.client  # its overloads take a literal name, not a variable
    return factory(service)


@once_per_worker
def dynamodb() -> DynamoDBServiceResource:
    """DynamoDB, in Python's own types."""
    return boto3.resource("dynamodb")


@once_per_worker
def table(name: str) -> Table:
    """Return a table; every `.Table(name)` of boto3 makes a class anew."""
    return dynamodb().Table(name)


def step_functions() -> SFNClient:
    """Step Functions."""
    found: SFNClient = client("stepfunctions")
    return found


def ecs() -> ECSClient:
    """ECS."""
    found: ECSClient = client("ecs")
    return found


def secrets_manager() -> SecretsManagerClient:
    """Secrets Manager."""
    found: SecretsManagerClient = client("secretsmanager")
    return found


@once_per_worker
def sns() -> SNSClient:
    """SNS, which nobody waits for long: ten seconds at most, with all its tries."""
    retries: Any = {"mode": "standard", "total_max_attempts": 3}
    return boto3.client("sns", config=Config(connect_timeout=1, read_timeout=2, retries=retries))


@once_per_worker
def s3() -> S3Client:
    """S3. What it signs, URLs too, it signs with version 4, which covers headers, and by the bucket's regional name."""
    # Without the one, botocore signs URLs for the global name in other regions; without the other, in us-east-1.
    settings: Any = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
    return boto3.client("s3", config=Config(signature_version="s3v4", s3=settings))
