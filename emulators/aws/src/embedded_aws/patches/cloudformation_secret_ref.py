"""Defect: Ref of an AWS::SecretsManager::Secret is the secret's name.

AWS documents Ref as the ARN, which is what IAM policies and ECS secrets are given in templates. ministack's
handlers and its drift reader find a secret by its name, so names stay inside and ARNs go outside.

Source: AWS CloudFormation Template Reference, "AWS::SecretsManager::Secret", Return values: Ref.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import secretsmanager
from ministack.services.cloudformation import drift

from embedded_aws.seam import wrap_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    Provisioned = tuple[str, dict[str, str]]
    Properties = dict[str, Any]

_TYPE = "AWS::SecretsManager::Secret"


def apply() -> None:
    """Make the ARN the physical id, for create, update, delete and drift detection."""
    wrap_handler(_TYPE, "create", _create)
    wrap_handler(_TYPE, "update", _update)
    wrap_handler(_TYPE, "delete", _delete)
    read, properties = drift._DRIFT_READERS[_TYPE]
    drift._DRIFT_READERS[_TYPE] = (lambda arn, props: read(_name(arn), props), properties)


def _create(original: Callable[..., Provisioned], *args: object) -> Provisioned:
    _, attributes = original(*args)
    return attributes["Arn"], attributes


def _update(original: Callable[..., Provisioned], arn: str, *args: object) -> Provisioned:
    _, attributes = original(_name(arn), *args)
    return attributes["Arn"], attributes


def _delete(original: Callable[..., None], arn: str, *args: object) -> None:
    original(_name(arn), *args)


def _name(arn: str) -> str:
    """Return the name of the secret with this ARN, or the ARN itself when there is none."""
    found = (name for name, secret in secretsmanager._secrets.items() if secret["ARN"] == arn)
    return next(found, arn)
