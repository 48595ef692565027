"""A repository's secrets: its own alone, all that are asked for or none."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from cloud_agent.adapters.aws.environment_secrets import EnvironmentSecretError, EnvironmentSecrets

if TYPE_CHECKING:
    from collections.abc import Callable

REPO = "acme/store.front_2"
NAME = f"claude/{REPO}/STRIPE_KEY"


@pytest.fixture
def secrets(aws: None) -> EnvironmentSecrets:
    return EnvironmentSecrets("claude")


def test_secrets_are_read_by_the_repositorys_name(secrets: EnvironmentSecrets, put_secret: Callable[..., str]) -> None:
    put_secret("sk_test_1", NAME)
    put_secret("not this", "claude/acme/other/STRIPE_KEY")
    assert secrets.values(REPO, ["STRIPE_KEY", "STRIPE_KEY"]) == {"STRIPE_KEY": "sk_test_1"}
    assert secrets.values(REPO, []) == {}


def test_a_rotated_secret_is_used_at_once(secrets: EnvironmentSecrets, put_secret: Callable[..., str]) -> None:
    arn = put_secret("old", NAME)
    secrets.values(REPO, ["STRIPE_KEY"])
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")
    assert secrets.values(REPO, ["STRIPE_KEY"]) == {"STRIPE_KEY": "new"}


def test_all_that_are_missing_are_named_at_once_and_no_value_is_shown(
    secrets: EnvironmentSecrets, put_secret: Callable[..., str]
) -> None:
    put_secret("SENSITIVE", NAME)
    with pytest.raises(EnvironmentSecretError) as refused:
        secrets.values(REPO, ["STRIPE_KEY", "A", "B"])
    assert f"2 secret(s) that have no value in AWS Secrets Manager: claude/{REPO}/A, claude/{REPO}/B." in str(
        refused.value
    )
    assert "SENSITIVE" not in str(refused.value)
    assert "STRIPE_KEY" not in str(refused.value)


def test_a_secret_that_is_being_deleted_is_missing(secrets: EnvironmentSecrets, put_secret: Callable[..., str]) -> None:
    arn = put_secret("gone soon", NAME)
    boto3.client("secretsmanager").delete_secret(SecretId=arn)
    with pytest.raises(EnvironmentSecretError, match="STRIPE_KEY"):
        secrets.values(REPO, ["STRIPE_KEY"])


def test_a_value_that_no_environment_can_hold_is_refused(
    secrets: EnvironmentSecrets, put_secret: Callable[..., str]
) -> None:
    put_secret("a\0b", NAME)
    with pytest.raises(EnvironmentSecretError, match="STRIPE_KEY"):
        secrets.values(REPO, ["STRIPE_KEY"])
    arn = put_secret("text", f"claude/{REPO}/BINARY")
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretBinary=b"\1")
    with pytest.raises(EnvironmentSecretError, match="BINARY"):
        secrets.values(REPO, ["BINARY"])
