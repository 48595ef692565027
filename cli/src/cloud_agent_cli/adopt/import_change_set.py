"""The import itself: a change set that brings resources into a stack, and does nothing else. Deletes nothing."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from cloud_agent_cli.errors import AdoptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_cli.adopt.stack import Stack

    Document = dict[str, Any]

# CreateChangeSet's limit for TemplateBody, in bytes ("CloudFormation quotas" in its user guide).
TEMPLATE_BODY_BYTES = 51_200
_SAM_STACK = "aws-sam-cli-managed-default"  # it has the bucket of `sam deploy --resolve-s3`
_WAITING = {"Delay": 2, "MaxAttempts": 150}  # an import reads each resource and changes none


def adopt(client: Callable[[str], Any], stack: Stack, template: Document, resources: list[Document]) -> None:
    """Create the import change set, see that it imports these resources and does nothing else, and execute it.

    Raises:
        AdoptionError: AWS refused, or would do more. What was there stays there, and as it was.
    """
    try:
        _adopt(client, stack, template, resources)
    except ClientError as error:
        raise AdoptionError(f"{error.operation_name}: {error.response['Error']['Message']}") from error
    except WaiterError as error:
        last: Any = error.last_response
        described = last.get("Stacks", [last])[0]
        reason = next((described[key] for key in ("StatusReason", "StackStatusReason") if described.get(key)), error)
        raise AdoptionError(f"CloudFormation does not import into {stack.name}: {reason}") from error
    except BotoCoreError as error:
        raise AdoptionError(str(error)) from error


def _adopt(client: Callable[[str], Any], stack: Stack, template: Document, resources: list[Document]) -> None:
    cloudformation = client("cloudformation")
    body = json.dumps(template, separators=(",", ":"))
    change_set = cloudformation.create_change_set(
        StackName=stack.name,
        ChangeSetName=f"adopt-{uuid.uuid4()}",
        ChangeSetType="IMPORT",
        ResourcesToImport=resources,
        Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in stack.parameters()],
        Capabilities=["CAPABILITY_IAM"],  # a processed template has roles and no Transform to expand
        **_submitted(client, stack.name, body),
    )["Id"]
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig=_WAITING)
    _see_that_it_only_imports(cloudformation.describe_change_set(ChangeSetName=change_set), resources)
    cloudformation.execute_change_set(ChangeSetName=change_set)
    cloudformation.get_waiter("stack_import_complete").wait(StackName=stack.name, WaiterConfig=_WAITING)


def _submitted(client: Callable[[str], Any], stack: str, body: str) -> Document:
    """Return the template itself, or where it lies when it is too long for a request."""
    if len(body.encode()) <= TEMPLATE_BODY_BYTES:
        return {"TemplateBody": body}
    try:
        sam = client("cloudformation").describe_stacks(StackName=_SAM_STACK)["Stacks"][0]
    except ClientError as error:
        raise AdoptionError(
            f"The template has {len(body)} bytes, more than CloudFormation takes in a request, and the bucket of"
            f" `sam deploy --resolve-s3` cannot be found ({error}). Deploy once with SAM, then adopt."
        ) from error
    (bucket,) = (each["OutputValue"] for each in sam["Outputs"] if each["OutputKey"] == "SourceBucket")
    s3, key = client("s3"), f"{stack}/adopt-{hashlib.sha256(body.encode()).hexdigest()}.template"
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
    return {"TemplateURL": f"{s3.meta.endpoint_url}/{bucket}/{key}"}


def _see_that_it_only_imports(change_set: Document, resources: list[Document]) -> None:
    changes = {
        (change["ResourceChange"]["LogicalResourceId"], change["ResourceChange"]["Action"])
        for change in change_set["Changes"]
    }
    if changes != {(each["LogicalResourceId"], "Import") for each in resources}:
        listed = ", ".join(f"{action} {logical_id}" for logical_id, action in sorted(changes))
        raise AdoptionError(f"The change set {change_set['ChangeSetName']} was not executed; it would do: {listed}")
    if change_set["ExecutionStatus"] != "AVAILABLE":
        raise AdoptionError(f"The change set cannot be executed: {change_set.get('StatusReason')}")
