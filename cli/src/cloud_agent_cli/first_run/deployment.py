"""What is to be deployed, or was: the stack's name and its parameters."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cloud_agent_cli.errors import ParameterError
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.stack import Stack, load_stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cloud_agent_doctor.engine.aws import Aws

# The template's own, of the parameters that a check needs; a test holds them equal.
DEFAULTS: Final = {
    "AgentCpu": "2048",
    "AgentEgress": "open",
    "AnthropicBaseUrl": "https://api.anthropic.com",
    "Canary": "disabled",
    "CertificateArn": "",
    "ClaudeModel": "claude-sonnet-5-5",
    "EgressProxyImageUri": "",
    "HostedZoneId": "",
    "IndexAtUatDomain": "false",
    "LoadBalancer": "own",
    "MaxSessions": "10",
    "ModelProvider": "anthropic",
    "ProxyDesiredCount": "2",
    "ReservedConcurrency": "0",
    "StagingAgentImageUri": "",
    "WebhookCertificateArn": "",
    "WebhookDomainName": "",
}
NOT_DEPLOYED: Final = "NOT_DEPLOYED"
_EMPTY: Final = re.compile(r"(?:^|\s)(\w+)=(?=\s|$)")
_IN_REVIEW = "REVIEW_IN_PROGRESS"  # a change set was made, and no resource yet


@dataclass(frozen=True)
class Settings:
    """What samconfig and the command's options say of a deployment."""

    stack: str | None = None
    region: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


def read_samconfig(path: Path, environment: str) -> Settings:
    """Return what `sam deploy --config-file PATH --config-env ENVIRONMENT` would deploy; nothing if there's no file.

    Raises:
        ParameterError: it isn't TOML, or has no such environment.
    """
    if not path.exists():
        return Settings()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{path} can't be read: {error}") from error
    commands = document.get(environment)
    if commands is None:
        known = ", ".join(name for name, value in document.items() if isinstance(value, dict))
        raise ParameterError(f"{path} has no environment {environment}. It has: {known}.")
    options: dict[str, Any] = {}
    for command in ("global", "deploy"):
        options |= commands.get(command, {}).get("parameters", {})
    parameters = _overrides(options.get("parameter_overrides", {}))
    return Settings(options.get("stack_name"), options.get("region"), parameters)


def _overrides(given: Mapping[str, object] | list[str] | str) -> dict[str, str]:
    """Return the parameters as SAM takes them: of a table, of a list, or of the text that --guided writes.

    Raises:
        ParameterError: SAM refuses it, or would take something else than it says.
    """
    if isinstance(given, dict):
        return {name: str(value) for name, value in given.items()}
    words: list[str] = []
    for text in [given] if isinstance(given, str) else given:
        if empty := _EMPTY.search(text):
            raise ParameterError(f'SAM doesn\'t take {empty[1]}= without a value: write {empty[1]}="".')
        words += shlex.split(text)
    return read_parameters(words)


def read_parameters(texts: Iterable[str]) -> dict[str, str]:
    """Return the parameters of `Name=Value`, each.

    Raises:
        ParameterError: one has another form.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier() or name == "ParameterKey":
            raise ParameterError(f'{text} isn\'t Name=Value. A value with spaces has quotes: Name="a value".')
        found[name] = value.strip("\"'")
    return found


def deployment(aws: Aws, name: str, region: str, given: Mapping[str, str]) -> Stack:
    """Return the stack as it's deployed or, where it isn't yet, as it would be; `given` goes before what's deployed.

    Raises:
        DataUnavailableError: AWS refused or didn't respond.
    """
    deployed = load_stack(aws, name)
    if deployed is not None and deployed.status != _IN_REVIEW:
        parameters = DEFAULTS | dict(deployed.parameters) | dict(given)
        return Stack(name, deployed.arn, deployed.status, parameters, deployed.outputs, deployed.resources)
    caller = aws.describe("sts", "get_caller_identity") or {}
    partition = caller["Arn"].split(":")[1]
    arn = f"arn:{partition}:cloudformation:{region}:{caller['Account']}:stack/{name}/{NOT_DEPLOYED}"
    return Stack(name, arn, NOT_DEPLOYED, DEFAULTS | dict(given), {}, {})


def parameter(stack: Stack, name: str) -> str:
    """Return a parameter's value.

    Raises:
        NotApplicableError: nothing says it; says how to.
    """
    value = stack.parameters.get(name, "")
    if not value:
        raise NotApplicableError(f"{name} isn't known: give it with --parameter {name}=..., or a --config-file")
    return value
