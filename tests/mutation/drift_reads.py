"""What CloudFormation reads to detect the drift of each type of resource, as its own schemas of the types say.

DetectStackDrift is authorised for the stack and each of its resources, which it reads in the name of whoever asks:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/detect-drift-stack.html
What it takes to read one are the permissions of the type's `read` handler; a type without it has no drift detection.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint

# An action that the schemas name -> why the doctor isn't given it.
NOT_GIVEN = {
    "iam:PassRole": "to read a rule passes no role on",
    "kms:Decrypt": "no function, event source or state machine of the template is encrypted with a key of one's own",
    "s3:getObject": "the API's definition is in the template, not in a bucket",
}
# CloudFormation publishes no handlers of these types: what their documentation says that reading them takes.
WITHOUT_HANDLERS: dict[str, set[str]] = {
    "AWS::Route53::RecordSet": {"route53:GetHostedZone", "route53:ListHostedZones", "route53:ListResourceRecordSets"},
    "AWS::ServiceDiscovery::PrivateDnsNamespace": set(),  # it has no drift detection
}

_SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"


@cache
def read_for_drift(kind: str) -> frozenset[str]:
    """Return the actions that CloudFormation takes to read a resource of the type, less those that aren't given."""
    if kind in WITHOUT_HANDLERS:
        return frozenset(WITHOUT_HANDLERS[kind])
    return frozenset(reads(kind) - NOT_GIVEN.keys())


def reads(kind: str) -> set[str]:
    """Return what the type's schema says that reading takes.

    Raises:
        KeyError: CloudFormation publishes no schema of the type, or none with handlers.
    """
    permissions = _schema(kind)["handlers"].get("read", {}).get("permissions", ())
    return {f"s3:{name[3:]}" if name.startswith("S3:") else name for name in permissions}  # one schema has both


def _schema(kind: str) -> dict[str, Any]:
    named: dict[str, str] = json.loads((_SCHEMAS / "providers/us-east-1.json").read_text())
    schema: dict[str, Any] = json.loads((_SCHEMAS / f"resources/{named[kind]}.json").read_text())
    return schema
