"""Does every secret have a usable value?

Checks each secret of the stack: it exists, isn't scheduled for deletion, has a current value, and the value has the
form that docs/deploy.md asks for. Two are created with a placeholder and wait for somebody to put the real value: the
GitHub App's credentials and the Anthropic API key. With UatAccess=github the App's client id and secret are a third;
with link and public, {} is as good a value, and nobody signs in.
With the model on Bedrock no Anthropic API key is needed.

Values are read to be checked and never shown. If you may describe the secrets but not read their values, only the
former is checked and the status is unknown. The fix is always to put the value; functions use it within a minute, the
proxy after a new deployment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from cloud_agent.adapters.aws.secrets import CHAT_WEBHOOKS_FORM, ChatWebhooks, GitHubCredentials, UatAccessKeys
from cloud_agent_doctor.engine.check import Check, combine
from cloud_agent_doctor.engine.findings import Finding, revert_drift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack

    Document = dict[str, Any]

SHORTEST_WEBHOOK_SECRET = 32  # characters: a shorter key than the hash weakens HMAC-SHA256 (RFC 2104, section 3)
_RECOVERY = "aws secretsmanager restore-secret"


class SignIn(BaseModel):
    """The value of UatSignInSecret, as the proxy reads it; the contract test compares the two."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)


class _Kind(NamedTuple):
    """One secret of the stack."""

    logical_id: str
    fault_of: Callable[[str], str]
    """What's wrong with a value, without quoting it; empty if nothing is."""
    impact: str
    remediation: str
    needed: Callable[[Stack], bool] = lambda _: True
    may_be_empty: Callable[[Stack], bool] = lambda _: False
    """Whether {} is a usable value."""


def _of_form(model: type[BaseModel], form: str) -> Callable[[str], str]:
    def fault(value: str) -> str:
        try:
            model.model_validate_json(value)
        except ValidationError as error:
            return f"it must be JSON, {form}: " + "; ".join(dict.fromkeys(one["msg"] for one in error.errors()))
        return ""

    return fault


def _webhook_fault(value: str) -> str:
    if len(value) < SHORTEST_WEBHOOK_SECRET:
        return f"it is shorter than {SHORTEST_WEBHOOK_SECRET} characters"
    return "it has a line break, which the App's settings can't have" if re.search(r"[\r\n]", value) else ""


def _api_key_fault(value: str) -> str:
    key = value.strip()  # as the agent reads it
    if key in {"", "unset"}:
        return "the Anthropic API key hasn't been put yet"
    return "" if re.fullmatch(r"[!-~]+", key) else "the Anthropic API key has white space or other characters inside"


_KINDS = (
    _Kind(
        "WebhookSecret",
        _webhook_fault,
        "Deliveries can be forged: whoever guesses it can start sessions.",
        "Put 48 random characters here and in the GitHub App's webhook settings.",
    ),
    _Kind(
        "GitHubSecret",
        _of_form(GitHubCredentials, '{"app_id": "...", "private_key": "..."} or {"token": "..."}'),
        "Nothing works on GitHub: no branch, no pull request, no comment.",
        "Put the GitHub App's id and private key (docs/deploy.md, step 4).",
    ),
    _Kind(
        "AnthropicApiKeySecret",
        _api_key_fault,
        "Claude doesn't respond in any session.",
        "Put the Anthropic API key (docs/deploy.md, step 4), or deploy with ModelProvider=bedrock.",
        needed=lambda stack: stack.parameters.get("ModelProvider") != "bedrock",
    ),
    _Kind(
        "UatAccessKeysSecret",
        _of_form(UatAccessKeys, '{"signing_key": "...", "verifying_key": "..."}'),
        "Sessions get no links, and the proxy doesn't start.",
        'Put {"signing_key": "<64 random characters>", "verifying_key": ""} and restart the proxy (docs/deploy.md).',
        needed=lambda stack: stack.parameters.get("UatAccess") != "public",
    ),
    _Kind(
        "UatSignInSecret",
        _of_form(SignIn, '{"client_id": "...", "client_secret": "..."}'),
        "Nobody can sign in, and with a value of another form the proxy doesn't start.",
        "Put the GitHub App's client id and client secret and restart the proxy (docs/deploy.md, step 4).",
        may_be_empty=lambda stack: stack.parameters.get("UatAccess") != "github",
    ),
    _Kind(
        "ChatWebhooksSecret",
        _of_form(ChatWebhooks, CHAT_WEBHOOKS_FORM),
        "No chat gets notifications.",
        "Put the webhooks' URLs, or {} for none (docs/deploy.md, step 6).",
    ),
)


def run(context: CheckContext) -> Iterator[Finding]:
    """Find secrets that are gone, scheduled for deletion, empty, or malformed."""
    return combine(*(_judged(context, kind) for kind in _KINDS))


def _judged(context: CheckContext, kind: _Kind) -> Iterator[Finding]:
    arn = context.stack.physical_id(kind.logical_id)
    if not arn:
        return
    missing = ["ResourceNotFoundException"]
    secret = context.aws.describe("secretsmanager", "describe_secret", missing=missing, SecretId=arn)
    if secret is None:
        gone = f"The secret {kind.logical_id} is gone."
        yield _finding(kind, arn, gone, f"{revert_drift(context.stack)} Then: {kind.remediation}")
    elif "DeletedDate" in secret:
        since = f"{secret['DeletedDate']:%Y-%m-%d %H:%M} UTC"
        until = f"The secret {kind.logical_id} has been scheduled for deletion since {since}."
        yield _finding(kind, arn, until, f"Restore it while you still can: `{_RECOVERY} --secret-id {arn}`.")
    elif not any("AWSCURRENT" in stages for stages in secret.get("VersionIdsToStages", {}).values()):
        if kind.needed(context.stack):
            yield _finding(kind, arn, f"The secret {kind.logical_id} has no value.", kind.remediation)
    elif kind.needed(context.stack):
        # Read last: describing a secret is one permission, reading it another.
        value = context.aws.describe("secretsmanager", "get_secret_value", missing=missing, SecretId=arn) or {}
        text = value.get("SecretString", "")
        fault = kind.fault_of(text)
        if fault and not (text.strip() == "{}" and kind.may_be_empty(context.stack)):
            yield _finding(
                kind, arn, f"The value of the secret {kind.logical_id} can't be used: {fault}.", kind.remediation
            )


def _finding(kind: _Kind, arn: str, problem: str, remediation: str) -> Finding:
    return Finding(
        resource=arn,
        problem=problem,
        impact=kind.impact,
        remediation=remediation,
        confirm=f"aws secretsmanager describe-secret --secret-id {arn}",
        logical_ids=(kind.logical_id,),
    )


CHECK = Check(
    name="secrets",
    question="Does every secret have a usable value?",
    run=run,
    actions=("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
)
