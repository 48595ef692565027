"""Defect: of GenerateSecretString only the length and ExcludeCharacters count, and chance is not the secure one.

AWS documents that a generated secret is made as by GetRandomPassword with the same members, ExcludePunctuation among
them. ministack has that operation, so it makes the password here too.

Source: AWS CloudFormation Template Reference, "AWS::SecretsManager::Secret GenerateSecretString"; SDK model
"secretsmanager": GetRandomPassword.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Properties = dict[str, Any]


def apply() -> None:
    """Generate secrets of stacks as GetRandomPassword does."""
    wrap(provisioners, "_sm_secret_string", _secret_string)


def _secret_string(original: Callable[[Properties], str], properties: Properties) -> str:
    wanted = properties.get("GenerateSecretString")
    if not wanted or properties.get("SecretString"):
        return original(properties)
    status, _, body = secretsmanager._get_random_password(wanted)
    answer = json.loads(body)
    if status != HTTPStatus.OK:
        raise ValueError(f"GenerateSecretString: {answer}")
    password: str = answer["RandomPassword"]
    if "SecretStringTemplate" not in wanted:
        return password
    return json.dumps(json.loads(wanted["SecretStringTemplate"]) | {wanted["GenerateStringKey"]: password})
