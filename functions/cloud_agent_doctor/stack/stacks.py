"""CloudFormation's record of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.examination import Resource, Stack

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.aws import Aws

_GONE = "DELETE_COMPLETE"


def load_stack(aws: Aws, name: str) -> Stack | None:
    """Return the stack of this name; None when there is none.

    Raises:
        CannotLookError: CloudFormation refused or did not answer.
    """
    described = aws.ask("cloudformation", "describe_stacks", missing=["ValidationError"], StackName=name)
    if described is None or described["Stacks"][0]["StackStatus"] == _GONE:
        return None
    stack = described["Stacks"][0]
    resources = aws.ask_all("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name)
    return Stack(
        name=stack["StackName"],
        arn=stack["StackId"],
        status=stack["StackStatus"],
        parameters={
            one["ParameterKey"]: one.get("ResolvedValue", one.get("ParameterValue", ""))
            for one in stack.get("Parameters", [])
        },
        outputs={one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])},
        resources={
            one["LogicalResourceId"]: Resource(one["ResourceType"], one.get("PhysicalResourceId", ""))
            for one in resources
            if one["ResourceStatus"] != _GONE
        },
    )
