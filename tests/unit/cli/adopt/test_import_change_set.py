"""The import as CloudFormation's API reference documents it; that it works is shown on the embedded AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY

from cloud_agent_cli.adopt.import_change_set import TEMPLATE_BODY_BYTES, adopt
from cloud_agent_cli.adopt.stack import Stack
from cloud_agent_cli.errors import AdoptionError
from cloud_agent_doctor.engine.aws import Aws

if TYPE_CHECKING:
    from tests.unit.cli.adopt.conftest import DocumentedAws

    Json = dict[str, Any]

STACK = "claude-cloud-agent"
CHANGE_SET = "arn:aws:cloudformation:eu-central-1:111122223333:changeSet/adopt/1"
STACK_ID = f"arn:aws:cloudformation:eu-central-1:111122223333:stack/{STACK}/1"
TABLE: Json = {
    "ResourceType": "AWS::DynamoDB::Table",
    "LogicalResourceId": "SessionsTable",
    "ResourceIdentifier": {"TableName": "sessions"},
}
TEMPLATE: Json = {"Resources": {"SessionsTable": {"Type": "AWS::DynamoDB::Table"}}}
IMPORT = {"Type": "Resource", "ResourceChange": {"Action": "Import", "LogicalResourceId": "SessionsTable"}}
CREATED = {"ChangeSetName": "adopt", "Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE"}


def described(status: str, **members: object) -> Json:
    stack = {"StackName": STACK, "StackId": STACK_ID, "StackStatus": status, "CreationTime": "2026-01-01", **members}
    return {"Stacks": [stack]}


def no_stack(documented: DocumentedAws) -> Stack:
    message = f"Stack with id {STACK} doesn't exist"
    documented.refuses("cloudformation", "describe_stacks", "ValidationError", message, StackName=STACK)
    return Stack(STACK, Aws(documented.client))


def creates(documented: DocumentedAws, **request: object) -> None:
    expected: Json = {
        "StackName": STACK,
        "ChangeSetName": ANY,
        "ChangeSetType": "IMPORT",
        "ResourcesToImport": [TABLE],
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [],
    }
    answer = {"Id": CHANGE_SET, "StackId": STACK_ID}
    documented.answers("cloudformation", "create_change_set", answer, **expected | request)


def describes(documented: DocumentedAws, times: int = 2, **members: object) -> None:
    for _ in range(times):
        answer = CREATED | {"Changes": [IMPORT]} | members
        documented.answers("cloudformation", "describe_change_set", answer, ChangeSetName=CHANGE_SET)


def test_a_change_set_that_only_imports_is_executed_to_its_end(documented: DocumentedAws) -> None:
    stack = no_stack(documented)
    creates(documented, TemplateBody='{"Resources":{"SessionsTable":{"Type":"AWS::DynamoDB::Table"}}}')
    describes(documented)
    documented.answers("cloudformation", "execute_change_set", {}, ChangeSetName=CHANGE_SET)
    documented.answers("cloudformation", "describe_stacks", described("IMPORT_COMPLETE"), StackName=STACK)
    adopt(documented.client, stack, TEMPLATE, [TABLE])


@pytest.mark.parametrize("action", ["Add", "Modify", "Remove"])
def test_a_change_set_that_would_do_more_is_not_executed(documented: DocumentedAws, action: str) -> None:
    stack = no_stack(documented)
    creates(documented, TemplateBody=ANY)
    more = {"Type": "Resource", "ResourceChange": {"Action": action, "LogicalResourceId": "Cluster"}}
    describes(documented, Changes=[IMPORT, more])
    with pytest.raises(AdoptionError, match=f"was not executed; it would do: {action} Cluster, Import SessionsTable"):
        adopt(documented.client, stack, TEMPLATE, [TABLE])


def test_cloudformations_reason_is_said_when_the_resource_cannot_be_imported(documented: DocumentedAws) -> None:
    stack = no_stack(documented)
    creates(documented, TemplateBody=ANY)
    describes(documented, times=1, Status="FAILED", StatusReason="Table: sessions doesn't exist.")
    with pytest.raises(AdoptionError, match="does not import into claude-cloud-agent: Table: sessions doesn't exist"):
        adopt(documented.client, stack, TEMPLATE, [TABLE])


def test_cloudformations_reason_is_said_when_the_import_is_rolled_back(documented: DocumentedAws) -> None:
    stack = no_stack(documented)
    creates(documented, TemplateBody=ANY)
    describes(documented)
    documented.answers("cloudformation", "execute_change_set", {}, ChangeSetName=CHANGE_SET)
    rolled_back = described("IMPORT_ROLLBACK_COMPLETE", StackStatusReason="it went away")
    documented.answers("cloudformation", "describe_stacks", rolled_back, StackName=STACK)
    with pytest.raises(AdoptionError, match="it went away"):
        adopt(documented.client, stack, TEMPLATE, [TABLE])


def test_a_stack_that_there_is_keeps_its_parameters(documented: DocumentedAws) -> None:
    parameters = [{"ParameterKey": "VpcId", "ParameterValue": "vpc-1"}]
    answer = described("UPDATE_COMPLETE", Parameters=parameters)
    documented.answers("cloudformation", "describe_stacks", answer, StackName=STACK)
    stack = Stack(STACK, Aws(documented.client))
    kept = [{"ParameterKey": "VpcId", "UsePreviousValue": True}]
    creates(documented, TemplateBody=ANY, Parameters=kept)
    describes(documented, ExecutionStatus="UNAVAILABLE", StatusReason="not now")
    with pytest.raises(AdoptionError, match="cannot be executed: not now"):
        adopt(documented.client, stack, TEMPLATE, [TABLE])


def test_a_long_template_goes_through_the_bucket_that_sam_has(documented: DocumentedAws) -> None:
    stack = no_stack(documented)
    sam = described("CREATE_COMPLETE", Outputs=[{"OutputKey": "SourceBucket", "OutputValue": "sam-bucket"}])
    documented.answers("cloudformation", "describe_stacks", sam, StackName="aws-sam-cli-managed-default")
    documented.answers("s3", "put_object", {}, Bucket="sam-bucket", Key=ANY, Body=ANY)
    documented.refuses("cloudformation", "create_change_set", "ValidationError", "no such permission")
    with pytest.raises(AdoptionError, match="CreateChangeSet: no such permission"):
        adopt(documented.client, stack, {"Description": "x" * TEMPLATE_BODY_BYTES}, [TABLE])


def test_a_long_template_without_sams_bucket_says_what_to_do(documented: DocumentedAws) -> None:
    stack = no_stack(documented)
    documented.refuses("cloudformation", "describe_stacks", "ValidationError", "doesn't exist")
    with pytest.raises(AdoptionError, match="Deploy once with SAM, then adopt"):
        adopt(documented.client, stack, {"Description": "x" * TEMPLATE_BODY_BYTES}, [TABLE])


def test_a_stack_in_review_has_nothing_yet(documented: DocumentedAws) -> None:
    """A change set that was never executed leaves it behind."""
    documented.answers("cloudformation", "describe_stacks", described("REVIEW_IN_PROGRESS"), StackName=STACK)
    stack = Stack(STACK, Aws(documented.client))
    assert (False, set(), None) == (stack.exists, stack.resources(), stack.template())


def test_a_stack_of_another_template_is_refused(documented: DocumentedAws) -> None:
    documented.answers("cloudformation", "describe_stacks", described("CREATE_COMPLETE"), StackName=STACK)
    yaml = {"TemplateBody": "Resources: {}"}
    documented.answers("cloudformation", "get_template", yaml, StackName=STACK, TemplateStage="Processed")
    with pytest.raises(AdoptionError, match=r"was not made from template.yaml"):
        Stack(STACK, Aws(documented.client)).template()
