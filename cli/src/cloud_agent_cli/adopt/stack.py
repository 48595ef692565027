"""The stack that resources come to, as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_cli.errors import AdoptionError

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.aws import Aws

    Document = dict[str, Any]

_NO_STACK = ("ValidationError",)  # what CloudFormation answers of a stack that there is not


class Stack:
    """One stack, which there may not be yet."""

    def __init__(self, name: str, aws: Aws) -> None:
        """Raise DataUnavailableError when CloudFormation refused or did not respond, as all that follows does."""
        self.name = name
        self._aws = aws
        stacks = aws.describe_all("cloudformation", "describe_stacks", "Stacks", missing=_NO_STACK, StackName=name)
        self._described: Document | None = next(iter(stacks), None)

    @property
    def exists(self) -> bool:
        """Whether it has ever had a resource; one in review has not."""
        return self._described is not None and self._described["StackStatus"] != "REVIEW_IN_PROGRESS"

    def parameters(self) -> list[str]:
        """Return the names of its parameters."""
        described = self._described if self._described is not None and self.exists else {}
        return [each["ParameterKey"] for each in described.get("Parameters", [])]

    def resources(self) -> set[str]:
        """Return the logical ids of what it has."""
        if not self.exists:
            return set()
        summaries = self._aws.describe_all(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=self.name
        )
        return {each["LogicalResourceId"] for each in summaries if each["ResourceStatus"] != "DELETE_COMPLETE"}

    def template(self) -> Document | None:
        """Its processed template; None where there is no stack.

        Raises:
            AdoptionError: it is none of template.yaml's, which CloudFormation gives back as JSON.
        """
        if not self.exists:
            return None
        response = (
            self._aws.describe("cloudformation", "get_template", StackName=self.name, TemplateStage="Processed") or {}
        )
        body = response.get("TemplateBody")
        if not isinstance(body, dict):
            raise AdoptionError(f"The stack {self.name} was not made from template.yaml: its template is no JSON.")
        return dict(body)
