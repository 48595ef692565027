"""Has every secret a value that can be used?

Looks at each secret of the stack: that it exists, is not about to be deleted, has a current value, and that this has
the form that docs/deploy.md asks for. Two are made with a value nobody can work with, and wait for somebody to put the
right one: the GitHub App's and the Anthropic API key; a third, the App's client id and secret, only with
UatAccess=github. Where the model runs on Bedrock no Anthropic API key is needed.

Values are read to be judged and never shown. Whoever runs this may be allowed to see the secrets but not their values:
then only the former is judged, and the rest said to be unseen. The mend is always to put the value; the functions use
it within a minute, the proxy after a new deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from cloud_agent.adapters.aws.secrets import GitHubCredentials, UatAccessKeys
from cloud_agent_doctor.engine import mends
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.parts import all_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloud_agent_doctor.engine.examination import Examination, Stack

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
    """What is wrong with a value, without a word of it; empty when nothing is."""
    meaning: str
    mend: str
    needed: Callable[[Stack], bool] = lambda _: True


def _of_form(model: type[BaseModel], form: str) -> Callable[[str], str]:
    def fault(value: str) -> str:
        try:
            model.model_validate_json(value)
        except ValidationError as error:
            return f"it must be JSON, {form}: " + "; ".join(dict.fromkeys(one["msg"] for one in error.errors()))
        return ""

    return fault


def _webhook_fault(value: str) -> str:
    return "" if len(value) >= SHORTEST_WEBHOOK_SECRET else f"it is shorter than {SHORTEST_WEBHOOK_SECRET} characters"


def _api_key_fault(value: str) -> str:
    if value.strip() in {"", "unset"}:
        return "nobody has put the Anthropic API key yet"
    return ""


_KINDS = (
    _Kind(
        "WebhookSecret",
        _webhook_fault,
        "Deliveries could be forged: whoever guesses it starts sessions.",
        "Put 48 random characters, and the same into the GitHub App's webhook settings.",
    ),
    _Kind(
        "GitHubSecret",
        _of_form(GitHubCredentials, '{"app_id": "...", "private_key": "..."} or {"token": "..."}'),
        "Nothing can be done on GitHub: no branch, no pull request, no comment.",
        "Put the GitHub App's id and private key (docs/deploy.md, step 4).",
    ),
    _Kind(
        "AnthropicApiKeySecret",
        _api_key_fault,
        "Claude answers in no session.",
        "Put the Anthropic API key (docs/deploy.md, step 4), or deploy with ModelProvider=bedrock.",
        needed=lambda stack: stack.parameters.get("ModelProvider") != "bedrock",
    ),
    _Kind(
        "UatAccessKeysSecret",
        _of_form(UatAccessKeys, '{"signing_key": "...", "verifying_key": "..."}'),
        "No link into a session can be made, and the proxy does not start.",
        'Put {"signing_key": "<64 random characters>", "verifying_key": ""} and restart the proxy (docs/deploy.md).',
        needed=lambda stack: stack.parameters.get("UatAccess") != "public",
    ),
    _Kind(
        "UatSignInSecret",
        _of_form(SignIn, '{"client_id": "...", "client_secret": "..."}'),
        "Nobody can sign in to see a session.",
        "Put the GitHub App's client id and client secret and restart the proxy (docs/deploy.md, step 4).",
        needed=lambda stack: stack.parameters.get("UatAccess") == "github",
    ),
)


def examine(examination: Examination) -> Iterator[Finding]:
    """Find secrets that are gone, about to go, empty, or of another form than their readers expect."""
    return all_parts(*(_judged(examination, kind) for kind in _KINDS))


def _judged(examination: Examination, kind: _Kind) -> Iterator[Finding]:
    arn = examination.stack.physical_id(kind.logical_id)
    if not arn:
        return
    missing = ["ResourceNotFoundException"]
    secret = examination.aws.ask("secretsmanager", "describe_secret", missing=missing, SecretId=arn)
    if secret is None:
        gone = f"The secret {kind.logical_id} is gone."
        yield _finding(kind, arn, gone, f"{mends.revert(examination.stack)} Then: {kind.mend}")
    elif "DeletedDate" in secret:
        until = (
            f"The secret {kind.logical_id} is scheduled for deletion since {secret['DeletedDate']:%Y-%m-%d %H:%M} UTC."
        )
        yield _finding(kind, arn, until, f"Restore it while that is possible: `{_RECOVERY} --secret-id {arn}`.")
    elif not any("AWSCURRENT" in stages for stages in secret.get("VersionIdsToStages", {}).values()):
        if kind.needed(examination.stack):
            yield _finding(kind, arn, f"The secret {kind.logical_id} has no value.", kind.mend)
    elif kind.needed(examination.stack):
        # Asked for last: to see a secret is one permission, to read it another.
        value = examination.aws.ask("secretsmanager", "get_secret_value", missing=missing, SecretId=arn) or {}
        fault = kind.fault_of(value.get("SecretString", ""))
        if fault:
            yield _finding(kind, arn, f"The value of the secret {kind.logical_id} cannot be used: {fault}.", kind.mend)


def _finding(kind: _Kind, arn: str, problem: str, mend: str) -> Finding:
    return Finding(
        resource=arn,
        problem=problem,
        meaning=kind.meaning,
        mend=mend,
        confirm=f"aws secretsmanager describe-secret --secret-id {arn}",
        logical_ids=(kind.logical_id,),
    )


CHECK = Check(
    name="secrets",
    question="Has every secret a value that can be used?",
    examine=examine,
    actions=("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
)
