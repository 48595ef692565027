"""What an import change set is given: the stack as it is, and the resources that come to it as they are.

An import may change nothing else (CloudFormation refuses it), so a stack that there is keeps its template, outputs and
parameters. That is its processed template: of the one with a Transform CloudFormation would make resources that the
import does not name. A stack that there is not consists of what is adopted; `sam deploy` adds the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent_cli.adopt.resources import Found

    Document = dict[str, Any]

_NEW_STACK = {"AWSTemplateFormatVersion": "2010-09-09", "Description": "Adopted; sam deploy makes the rest."}


def import_template(current: Document | None, adopted: Sequence[Found]) -> Document:
    """Return the template to import with; `current` is the stack's processed template, None where there is no stack.

    No value refers to a parameter or another resource: each is literally what the account has. Every resource is
    retained, as an import asks for a DeletionPolicy and a mistaken one must not cost anything.
    """
    template = dict(current or _NEW_STACK)
    resources = {
        found.kind.logical_id: {
            "Type": found.kind.type,
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": found.stated,
        }
        for found in adopted
    }
    return template | {"Resources": template.get("Resources", {}) | resources}


def resources_to_import(adopted: Sequence[Found]) -> list[Document]:
    """ResourcesToImport of CreateChangeSet."""
    return [
        {
            "ResourceType": found.kind.type,
            "LogicalResourceId": found.kind.logical_id,
            "ResourceIdentifier": {found.kind.identifier: found.identifier},
        }
        for found in adopted
    ]
