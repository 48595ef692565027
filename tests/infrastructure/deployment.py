"""template.yaml on an embedded AWS, with the code but without its libraries: enough where no function is to run.

`sam build` and `sam deploy`, which take a minute, are what tests/e2e deploys with. This does of theirs what the stack
needs: uploads, and a change set of the template as it stands.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

from tests.kit.stack_template import ROOT, packaged_as, read_template

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from embedded_aws.testing import EmbeddedAws

    Json = dict[str, Any]

BUCKET = "artifacts"
TIMEOUT_SECONDS = 120
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def upload(aws: EmbeddedAws) -> str:
    """Put code, definition and template into the bucket; returns the template's URL, for TemplateURL."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    functions = ROOT / "functions"
    requirements = functions / "dependencies" / "requirements.txt"
    objects = {
        "functions.zip": _zipped(functions, functions.joinpath("cloud_agent").rglob("*.py")),
        "libraries.zip": _zipped(functions, [requirements]),
        "session.asl.json": (ROOT / "statemachine/session.asl.json").read_bytes(),
    }
    template = packaged_as(
        read_template(),
        code=f"s3://{BUCKET}/functions.zip",
        libraries=f"s3://{BUCKET}/libraries.zip",
        definition=f"s3://{BUCKET}/session.asl.json",
    )
    for key, body in (objects | {"template.json": json.dumps(template).encode()}).items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"{aws.url}/{BUCKET}/template.json"


def _zipped(folder: Path, files: Iterable[Path]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in files:
            zipped.write(path, path.relative_to(folder))
    return archive.getvalue()


def deploy(aws: EmbeddedAws, template_url: str, stack: str, parameters: Json, kind: str = "CREATE") -> Json:
    """Deploy as `sam deploy` does, by a change set of `kind` CREATE or UPDATE; returns the stack as described.

    Raises:
        botocore.exceptions.ClientError: the template refuses the parameters.
        AssertionError: a resource could not be made.
    """
    cloudformation = aws.client("cloudformation")
    change_set = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=f"change-{uuid.uuid4().hex[:8]}",
        ChangeSetType=kind,
        TemplateURL=template_url,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=CAPABILITIES,
    )["Id"]
    made = eventually(lambda: _settled(cloudformation.describe_change_set(ChangeSetName=change_set)), TIMEOUT_SECONDS)
    assert made["Status"] == "CREATE_COMPLETE", made.get("StatusReason")
    cloudformation.execute_change_set(ChangeSetName=change_set)

    def ended() -> Json | None:
        found: Json = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return None if found["StackStatus"].endswith(("IN_PROGRESS", "REVIEW_IN_PROGRESS")) else found

    found = eventually(ended, TIMEOUT_SECONDS)
    assert found["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, _failures(aws, stack)
    return found


def outputs(stack: Json) -> dict[str, str]:
    """A described stack's outputs by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _settled(change_set: Json) -> Json | None:
    return change_set if change_set["Status"] in {"CREATE_COMPLETE", "FAILED"} else None


def _failures(aws: EmbeddedAws, stack: str) -> list[str]:
    events = aws.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in events
        if "FAILED" in event["ResourceStatus"]
    ]
