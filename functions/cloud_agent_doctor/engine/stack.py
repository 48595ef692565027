"""The stack as CloudFormation recorded it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent_doctor.engine.aws import Aws

_DELETED = "DELETE_COMPLETE"


@dataclass(frozen=True)
class Resource:
    """One resource of the stack, as CloudFormation recorded it: whether it still exists is for the checks to find."""

    type: str
    physical_id: str


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it."""

    name: str
    arn: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: Mapping[str, Resource]
    """By logical id."""

    @property
    def account(self) -> str:
        """The account's number."""
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        """The region's code."""
        return self.arn.split(":")[3]

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.arn.split(":")[1]

    @property
    def uat_domain(self) -> str:
        """What follows a session's id in its host name."""
        return f"uat.{self.parameters['DomainName']}"

    @property
    def owns_load_balancer(self) -> bool:
        """Whether the load balancer is one of the stack's resources, rather than given to it."""
        return self.parameters["LoadBalancer"] == "own"

    @property
    def has_index_at_uat_domain(self) -> bool:
        """Whether the UAT domain itself leads to the index of sessions, which is under it in any case."""
        return self.parameters.get("IndexAtUatDomain") == "true"

    @property
    def lists_egress(self) -> bool:
        """Whether agents reach the internet through the stack's egress proxy alone."""
        return self.parameters.get("AgentEgress") == "listed"

    def physical_id(self, logical_id: str) -> str:
        """Return the physical id; empty if the stack has no such resource, as under a condition."""
        resource = self.resources.get(logical_id)
        return resource.physical_id if resource else ""

    def of_type(self, resource_type: str) -> dict[str, str]:
        """Return the physical ids of all resources of a type, by logical id."""
        return {name: one.physical_id for name, one in self.resources.items() if one.type == resource_type}


def load_stack(aws: Aws, name: str) -> Stack | None:
    """Return the stack of this name; None if there is none.

    Raises:
        DataUnavailableError: CloudFormation refused or didn't respond.
    """
    described = aws.describe("cloudformation", "describe_stacks", missing=["ValidationError"], StackName=name)
    if described is None or described["Stacks"][0]["StackStatus"] == _DELETED:
        return None
    stack = described["Stacks"][0]
    resources = aws.describe_all("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name)
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
            if one["ResourceStatus"] != _DELETED
        },
    )
