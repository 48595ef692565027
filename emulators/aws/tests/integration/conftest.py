"""One embedded AWS for all tests of this folder, and one more that enforces IAM."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from embedded_aws.testing import EmbeddedAws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def start_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., EmbeddedAws]]:
    """Start one more; all are ended with the tests."""
    started: list[EmbeddedAws] = []

    def start(*arguments: str, **host_environment: str) -> EmbeddedAws:
        aws = EmbeddedAws(tmp_path_factory.mktemp("aws"), list(arguments), host_environment)
        started.append(aws)
        aws.start()
        return aws

    yield start
    for aws in started:
        aws.stop()


@pytest.fixture(scope="session")
def aws(start_aws: Callable[..., EmbeddedAws]) -> EmbeddedAws:
    """The one shared by all tests that need nothing special."""
    return start_aws(ANTHROPIC_API_KEY="the-host's-own", GITHUB_TOKEN="the-host's-own", SSL_CERT_FILE="/host/ca.pem")


@pytest.fixture(scope="session")
def strict_aws(start_aws: Callable[..., EmbeddedAws]) -> EmbeddedAws:
    """The one that enforces IAM."""
    return start_aws("--enforce-iam")


@pytest.fixture
def table(aws: EmbeddedAws) -> str:
    """The name of an empty table with the keys pk and sk."""
    name = f"table-{uuid.uuid4().hex[:8]}"
    aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return name
