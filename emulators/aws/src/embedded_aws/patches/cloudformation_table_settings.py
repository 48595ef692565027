"""Defect: a table's TimeToLiveSpecification, PointInTimeRecoverySpecification and SSESpecification are ignored.

All three are documented properties of AWS::DynamoDB::Table; without the first no item ever expires, and
without the others DescribeContinuousBackups and DescribeTable contradict the template.

Source: AWS CloudFormation Template Reference, "AWS::DynamoDB::Table"; SDK model "dynamodb": UpdateTimeToLive,
UpdateContinuousBackups and UpdateTableInput.SSESpecification.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import dynamodb

from embedded_aws.seam import wrap_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    Provisioned = tuple[str, dict[str, str]]
    Properties = dict[str, Any]

_TYPE = "AWS::DynamoDB::Table"


def apply() -> None:
    """Apply the three through the calls a person would make for them."""
    wrap_handler(_TYPE, "create", _create)
    wrap_handler(_TYPE, "update", _update)


def _create(original: Callable[..., Provisioned], *args: Any) -> Provisioned:  # noqa: ANN401 - passed through
    table, attributes = original(*args)
    _, props, _ = args
    _configure(table, {}, props)
    return table, attributes


def _update(original: Callable[..., Provisioned], *args: Any) -> Provisioned:  # noqa: ANN401 - passed through
    table, attributes = original(*args)
    _, old, new, *_ = args
    _configure(table, old, new)
    return table, attributes


def _configure(table: str, old: Properties, new: Properties) -> None:
    """Apply what changed; a specification the template drops is switched off."""
    name = "TimeToLiveSpecification"
    if old.get(name) != new.get(name):
        dynamodb._update_ttl({"TableName": table, name: new.get(name) or {**old[name], "Enabled": False}})
    name = "PointInTimeRecoverySpecification"
    if old.get(name) != new.get(name):
        dynamodb._update_continuous_backups({"TableName": table, name: new.get(name) or {}})
    name = "SSESpecification"
    if old.get(name) != new.get(name):
        specification = new.get(name) or {}
        # CloudFormation's SSEEnabled is the API's Enabled; the other members have one name.
        enabled = {**specification, "Enabled": specification.get("SSEEnabled", False)}
        dynamodb._update_table({"TableName": table, name: enabled})
