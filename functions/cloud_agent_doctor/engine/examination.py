"""What every check is given: the stack, and the ways to look at the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_agent_doctor.network.resolver import resolve
from cloud_agent_doctor.session.probes import Visit, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_agent_doctor.engine.aws import Aws


@dataclass(frozen=True)
class Resource:
    """One resource of the stack, as CloudFormation recorded it: whether it still exists is for the checks to see."""

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
        """What stands behind a session's id in its host name."""
        return f"uat.{self.parameters['DomainName']}"

    @property
    def owns_load_balancer(self) -> bool:
        """Whether the load balancer is one of the stack's resources, or was given to it."""
        return self.parameters["LoadBalancer"] == "own"

    def physical_id(self, logical_id: str) -> str:
        """Return the physical id; empty when the stack has no such resource, as behind a condition."""
        resource = self.resources.get(logical_id)
        return resource.physical_id if resource else ""

    def of_type(self, resource_type: str) -> dict[str, str]:
        """Return the physical ids of all resources of a type, by logical id."""
        return {name: one.physical_id for name, one in self.resources.items() if one.type == resource_type}


@dataclass(frozen=True)
class Examination:
    """One audit's view on the world."""

    aws: Aws
    stack: Stack
    session_id: str | None = None
    """The session to look at besides; none: the stack alone."""
    resolve: Callable[[str], frozenset[str]] = field(default=resolve)
    """The IPv4 addresses of a host name as a visitor is told them; empty when there are none."""
    visit: Callable[[str, str], Visit] = field(default=visit)
    """How a session is by its URL, as the proxy says; the second is its entry link, where one is needed."""
