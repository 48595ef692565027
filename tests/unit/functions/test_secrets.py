"""Secrets: read fresh, and never shown."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import boto3
import pytest

from cloud_agent.adapters.aws import secrets
from cloud_agent.adapters.aws.secrets import (
    GitHubCredentials,
    UatAccessKeys,
    accepted_secrets,
    read_github_credentials,
    read_secret,
    read_uat_access_keys,
)
from cloud_agent.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_secret_is_read_by_its_arn(put_secret: Callable[[str], str]) -> None:
    assert read_secret(put_secret("sesame")) == "sesame"


def test_a_rotated_secret_is_used_once_the_old_one_is_a_minute_old(
    put_secret: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secrets.MAX_AGE_SECONDS == 60
    monkeypatch.setattr(secrets, "MAX_AGE_SECONDS", -1)  # what is read now is a minute old at once
    arn = put_secret("old")
    assert read_secret(arn) == "old"
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")
    assert read_secret(arn) == "new"


def test_a_warm_worker_asks_for_a_secret_once_a_minute(put_secret: Callable[[str], str]) -> None:
    arn = put_secret("old")
    assert read_secret(arn) == "old"
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")
    assert read_secret(arn) == "old"


def test_the_secret_before_the_last_change_is_accepted_besides(put_secret: Callable[[str], str]) -> None:
    arn = put_secret("first")
    for value in ("second", "third"):
        boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=value)
    assert list(accepted_secrets(arn)) == ["third", "second"]


def test_a_value_that_is_put_twice_is_the_only_one_accepted(put_secret: Callable[[str], str]) -> None:
    arn = put_secret("leaked")
    for _ in range(2):
        boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")
    assert set(accepted_secrets(arn)) == {"new"}


def test_a_secret_that_was_never_changed_is_asked_for_its_previous_value_once_a_minute(
    put_secret: Callable[[str], str],
) -> None:
    arn = put_secret("first")
    assert list(accepted_secrets(arn)) == ["first"]
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="second")
    assert list(accepted_secrets(arn)) == ["first"]


def test_a_secret_that_is_missing_is_named(aws: None) -> None:
    with pytest.raises(ConfigurationError, match="arn:aws:secretsmanager:us-east-1:1:secret:none"):
        read_secret("arn:aws:secretsmanager:us-east-1:1:secret:none")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"token": "ghp_1"}', GitHubCredentials(token="ghp_1")),
        ('{"app_id": "7", "private_key": "PEM"}', GitHubCredentials(app_id="7", private_key="PEM")),
    ],
)
def test_both_forms_of_github_credentials_are_read(
    put_secret: Callable[[str], str], value: str, expected: GitHubCredentials
) -> None:
    assert expected == read_github_credentials(put_secret(value))


@pytest.mark.parametrize(
    "value",
    [
        "{}",
        "ghp_SENSITIVE",
        '"ghp_SENSITIVE"',
        '{"token": "SENSITIVE", "app_id": "7", "private_key": "SENSITIVE"}',
        '{"private_key": "SENSITIVE"}',
        '{"app_id": "SENSITIVE"}',
        '{"token": ["SENSITIVE"]}',
        '{"token": "SENSITIVE", "user": "SENSITIVE"}',
        '{"token": "SENSITIVE"',
    ],
)
def test_unusable_credentials_are_refused_without_being_shown(put_secret: Callable[[str], str], value: str) -> None:
    arn = put_secret(value)
    with pytest.raises(ConfigurationError) as refused:
        read_github_credentials(arn)
    assert arn in str(refused.value)
    assert '{"token": "..."}' in str(refused.value)
    assert "SENSITIVE" not in "".join(traceback.format_exception(refused.value))


SIGNING, VERIFYING = "s" * 32, "v" * 64


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f'{{"verifying_key": "", "signing_key": "{SIGNING}"}}', UatAccessKeys(signing_key=SIGNING)),
        (f'{{"signing_key": "{SIGNING}"}}', UatAccessKeys(signing_key=SIGNING)),
        (
            f'{{"signing_key": "{SIGNING}", "verifying_key": "{VERIFYING}"}}',
            UatAccessKeys(signing_key=SIGNING, verifying_key=VERIFYING),
        ),
    ],
    ids=["as generated", "without a second key", "while they change"],
)
def test_the_keys_of_access_are_read(put_secret: Callable[[str], str], value: str, expected: UatAccessKeys) -> None:
    assert expected == read_uat_access_keys(put_secret(value))


@pytest.mark.parametrize(
    "value",
    [
        "{}",
        "SENSITIVE",
        '{"signing_key": ""}',
        f'{{"signing_key": "SENSITIVE{"x" * 22}"}}',
        f'{{"signing_key": "{SIGNING}", "verifying_key": "SENSITIVE"}}',
        f'{{"signing_key": "{SIGNING}", "other": "SENSITIVE"}}',
        f'{{"verifying_key": "SENSITIVE{VERIFYING}"}}',
    ],
)
def test_unusable_keys_of_access_are_refused_without_being_shown(put_secret: Callable[[str], str], value: str) -> None:
    arn = put_secret(value)
    with pytest.raises(ConfigurationError) as refused:
        read_uat_access_keys(arn)
    assert arn in str(refused.value)
    assert '"signing_key": "..."' in str(refused.value)
    assert "SENSITIVE" not in "".join(traceback.format_exception(refused.value))
