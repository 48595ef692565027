"""Defect: AWS::EC2::SecurityGroupIngress and ...Egress are unknown resource types.

AWS documents both as a rule added to an existing security group, whose Ref and Id are the rule's id
(`sgr-...`). Security groups that name each other cannot be written without them.

Source: AWS CloudFormation Template Reference, "AWS::EC2::SecurityGroupIngress" and "AWS::EC2::SecurityGroupEgress";
their CloudFormation schemas, whose primaryIdentifier is Id.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable


def apply() -> None:
    """Teach CloudFormation the two types."""
    for resource_type, permissions in (
        ("AWS::EC2::SecurityGroupIngress", "IpPermissions"),
        ("AWS::EC2::SecurityGroupEgress", "IpPermissionsEgress"),
    ):
        provisioners._RESOURCE_HANDLERS[resource_type] = {
            "create": _create(permissions),
            "delete": _delete(permissions),
        }


def _create(permissions: str) -> Callable[..., tuple[str, dict[str, str]]]:
    def create(_logical_id: str, props: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        group = ec2._security_groups.get(props["GroupId"])
        if group is None:
            raise ValueError(f"The security group '{props['GroupId']}' does not exist")
        rule_id = f"sgr-{secrets.token_hex(9)[:17]}"
        rule: dict[str, Any] = provisioners._ec2_sg_permissions([props])[0]
        group[permissions] = [*group.get(permissions, []), rule | {"SecurityGroupRuleId": rule_id}]
        return rule_id, {"Id": rule_id}

    return create


def _delete(permissions: str) -> Callable[..., None]:
    def delete(rule_id: str, props: dict[str, Any]) -> None:
        group = ec2._security_groups.get(props["GroupId"])
        if group:
            group[permissions] = [one for one in group[permissions] if one.get("SecurityGroupRuleId") != rule_id]

    return delete
