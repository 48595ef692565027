"""Defect: an ECS cluster, a target group and a listener rule cannot be imported; what is imported is soon replaced.

AWS documents import for all three, identified by ClusterName, TargetGroupArn and RuleArn. And a resource whose
template gives it no name keeps the one that it has: only a changed name means replacement. ministack expects the
name that it would have generated itself, so that an imported cluster, group or table is replaced by its first update.

Source: AWS CloudFormation User Guide, "Resources that support import and drift detection operations"; AWS
CloudFormation Template Reference, "Update requires" of TableName, ClusterName and Name.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb, ecs
from ministack.services.cloudformation import changesets, provisioners

from embedded_aws.seam import wrap_handler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Json = dict[str, Any]
    Imported = tuple[str, dict[str, str]]

_NAMES: dict[str, tuple[str, Callable[[str], str]]] = {
    "AWS::DynamoDB::Table": ("TableName", str),
    "AWS::ECS::Cluster": ("ClusterName", str),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Name", lambda arn: str(alb._tgs[arn]["TargetGroupName"])),
}


def apply() -> None:
    """Teach CloudFormation to find and to adopt the three types, and to leave names alone."""
    _teach("AWS::ECS::Cluster", "ClusterName", ecs._clusters, _cluster)
    _teach("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupArn", alb._tgs, _target_group)
    _teach("AWS::ElasticLoadBalancingV2::ListenerRule", "RuleArn", alb._rules, _listener_rule)
    for resource_type in _NAMES:
        wrap_handler(resource_type, "update", _named(resource_type))


def _teach(resource_type: str, key: str, known: Mapping[str, Json], adopt: Callable[[str], Imported]) -> None:
    def problem(identifier: str) -> str | None:
        if identifier in known:
            return None
        text: str = changesets._IMPORT_NOT_FOUND.format(type=resource_type, value=identifier)
        return text

    changesets._IMPORT_LOOKUPS[resource_type] = ((key,), problem)
    provisioners._RESOURCE_HANDLERS[resource_type]["import"] = lambda identifier: adopt(identifier[key])


def _cluster(name: str) -> Imported:
    return name, {"Arn": ecs._clusters[name]["clusterArn"], "ClusterName": name}


def _target_group(arn: str) -> Imported:
    return arn, {
        "TargetGroupArn": arn,
        "TargetGroupName": alb._tgs[arn]["TargetGroupName"],
        "TargetGroupFullName": alb._target_group_full_name_from_arn(arn),
    }


def _listener_rule(arn: str) -> Imported:
    return arn, {"RuleArn": arn}


def _named(resource_type: str) -> Callable[..., Any]:
    """Return an update in which a resource without a name of the template's has the one that it has."""
    key, name_of = _NAMES[resource_type]

    def update(original: Callable[..., Any], physical_id: str, old: Json, new: Json, *rest: object) -> object:
        if key not in old and key not in new:
            name = name_of(physical_id)
            old, new = {**old, key: name}, {**new, key: name}
        return original(physical_id, old, new, *rest)

    return update
