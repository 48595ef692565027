"""Defect: AWS::Events::Archive is an unknown resource type, though EventBridge itself has archives.

AWS documents Ref as the archive's name and GetAtt Arn as its ARN.

Source: AWS CloudFormation Template Reference, "AWS::Events::Archive", Return values; SDK model "events":
CreateArchive.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from typing import Any

from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners


def apply() -> None:
    """Teach CloudFormation the type."""
    provisioners._RESOURCE_HANDLERS["AWS::Events::Archive"] = {"create": _create, "delete": _delete}


def _create(logical_id: str, props: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    name = props.get("ArchiveName") or f"{stack}-{logical_id}"
    request = {
        "ArchiveName": name,
        "EventSourceArn": props["SourceArn"],
        "RetentionDays": int(props.get("RetentionDays", 0)),
        "EventPattern": json.dumps(props["EventPattern"]) if props.get("EventPattern") else "",
    }
    status, _, body = eventbridge._create_archive(request)
    answer = json.loads(body)
    if status >= 400:  # noqa: PLR2004 - HTTP
        raise ValueError(f"AWS::Events::Archive {name}: {answer.get('message')}")
    return name, {"Arn": answer["ArchiveArn"], "ArchiveName": name}


def _delete(name: str, _props: dict[str, Any]) -> None:
    eventbridge._delete_archive({"ArchiveName": name})
