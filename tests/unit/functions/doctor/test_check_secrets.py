"""The check `secrets`: each has a value of the documented form, and none is ever shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.functions.doctor.inside_account import ACCESS_KEY, REFUSED, Account, AwsError, secret_arn

from cloud_agent_doctor.checks.secrets import CHECK


class Secrets(Account):
    """An account whose secrets all have what they need."""

    def __init__(self, **parameters: str) -> None:
        super().__init__(**parameters)
        self.values = {
            "WebhookSecret": "w" * 48,
            "GitHubSecret": json.dumps({"app_id": "4711", "private_key": "-----BEGIN"}),
            "AnthropicApiKeySecret": "sk-ant-api03-very-secret\n",
            "UatAccessKeysSecret": json.dumps({"signing_key": ACCESS_KEY, "verifying_key": ""}),
            "UatSignInSecret": json.dumps({"client_id": "Iv23", "client_secret": "very-secret"}),
            "ChatWebhooksSecret": "{}",
        }
        self.described: dict[str, dict[str, Any]] = {
            secret_arn(name): {"VersionIdsToStages": {"1" * 32: ["AWSPREVIOUS"], "2" * 32: ["AWSCURRENT"]}}
            for name in self.values
        }
        self.set("secretsmanager", "DescribeSecret", self._describe)
        self.set("secretsmanager", "GetSecretValue", self._value)

    def _describe(self, request: dict[str, str]) -> dict[str, Any]:
        if request["SecretId"] not in self.described:
            raise AwsError("ResourceNotFoundException")
        return {"ARN": request["SecretId"], **self.described[request["SecretId"]]}

    def _value(self, request: dict[str, str]) -> dict[str, str]:
        (name,) = (one for one in self.values if secret_arn(one) == request["SecretId"])
        return {"ARN": request["SecretId"], "SecretString": self.values[name]}


def test_secrets_that_can_be_used_have_no_finding_and_take_the_declared_actions() -> None:
    account = Secrets(UatAccess="github")
    assert account.findings(CHECK) == []
    assert set(CHECK.actions) == account.asked


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GitHubSecret", "{}", "give either app_id and private_key, or token"),
        ("GitHubSecret", '{"app_id": "4711", "privat_key": "very-secret"}', "it must be JSON"),
        ("GitHubSecret", "ghp_very-secret", "Invalid JSON"),
        ("AnthropicApiKeySecret", "unset", "the Anthropic API key hasn't been put yet"),
        ("AnthropicApiKeySecret", "\n", "the Anthropic API key hasn't been put yet"),
        ("UatAccessKeysSecret", '{"signing_key": "very-secret"}', "at least 32 characters"),
        ("UatSignInSecret", "{}", "Field required"),
        ("ChatWebhooksSecret", "https://very-secret.example", "Invalid JSON"),
        ("ChatWebhooksSecret", '{"slack": "http://very-secret.example"}', "String should match pattern"),
        ("ChatWebhooksSecret", '{"discord": "https://very-secret.example"}', "Extra inputs are not permitted"),
        ("UatSignInSecret", '{"client_id": "very-secret", "client_secret": ""}', "at least 1"),
        ("WebhookSecret", "very-secret", "shorter than 32 characters"),
        ("WebhookSecret", "very-secret" * 4 + "\n", "it has a line break"),
        ("AnthropicApiKeySecret", "sk-ant-very-secret\nmore", "has white space"),
    ],
)
def test_a_value_of_another_form_is_found_and_not_shown(name: str, value: str, words: str) -> None:
    account = Secrets(UatAccess="github")
    account.values[name] = value
    (finding,) = account.findings(CHECK)
    assert words in finding.problem
    assert (name,) == finding.logical_ids
    assert "very-secret" not in repr(finding)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("AnthropicApiKeySecret", {"ModelProvider": "bedrock"}),
        ("UatAccessKeysSecret", {"UatAccess": "public"}),
    ],
)
def test_a_secret_that_is_not_needed_may_have_any_value(name: str, parameters: dict[str, str]) -> None:
    account = Secrets(**parameters)
    account.values[name] = "unset"
    assert account.findings(CHECK) == []


@pytest.mark.parametrize(("value", "found"), [("{}", 0), ('{"client_id": "Iv23"}', 1), ("unset", 1)])
@pytest.mark.parametrize("access", ["link", "public"])
def test_a_sign_in_that_nobody_needs_may_be_empty_but_not_malformed(access: str, value: str, found: int) -> None:
    account = Secrets(UatAccess=access)
    account.values["UatSignInSecret"] = value
    assert len(account.findings(CHECK)) == found


def test_a_secret_that_was_deleted_is_found() -> None:
    account = Secrets()
    del account.described[secret_arn("GitHubSecret")]
    (finding,) = account.findings(CHECK)
    assert finding.problem == "The secret GitHubSecret is gone."


def test_a_secret_that_is_about_to_be_deleted_is_found_with_the_day() -> None:
    account = Secrets()
    account.described[secret_arn("GitHubSecret")]["DeletedDate"] = datetime(2026, 2, 2, 9, 30, tzinfo=UTC)
    (finding,) = account.findings(CHECK)
    assert "scheduled for deletion since 2026-02-02 09:30 UTC" in finding.problem


def test_a_secret_without_a_current_value_is_found() -> None:
    account = Secrets()
    account.described[secret_arn("GitHubSecret")] = {"VersionIdsToStages": {"1" * 32: ["AWSPENDING"]}}
    (finding,) = account.findings(CHECK)
    assert finding.problem == "The secret GitHubSecret has no value."


def test_values_that_may_not_be_read_are_unknown_and_the_rest_is_judged() -> None:
    account = Secrets()
    account.set("secretsmanager", "GetSecretValue", REFUSED)
    del account.described[secret_arn("UatAccessKeysSecret")]
    (finding,), unavailable = account.incomplete_findings(CHECK)
    assert finding.problem == "The secret UatAccessKeysSecret is gone."
    assert str(unavailable) == "not allowed: secretsmanager:GetSecretValue"
    assert unavailable.permission == "secretsmanager:GetSecretValue"
