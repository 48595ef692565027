"""What the stack's resources are known by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent_cli.adopt.resources import Kind


@dataclass(frozen=True)
class Search:
    """The stack's name, the domain under which its sessions are, and what a person has named.

    `wanted` has identifiers by logical id; an empty one stands for whichever is found.
    """

    stack: str
    domain: str
    wanted: Mapping[str, str]

    @property
    def host_name(self) -> str:
        """What the listener rule forwards, and the name of the DNS record."""
        return f"*.uat.{self.domain}"

    @property
    def index_host_name(self) -> str:
        """What the rule forwards, too, where the index is at the UAT domain itself."""
        return f"uat.{self.domain}"

    def named(self, kind: Kind) -> dict[str, str]:
        """Return the identifier that a person gave, with the reason why it is looked at."""
        identifier = self.wanted.get(kind.logical_id)
        return {identifier: "named"} if identifier else {}

    def is_own_name(self, kind: Kind, name: str) -> bool:
        """Whether CloudFormation generated this name for the stack's resource of this kind."""
        return name.startswith(f"{self.stack}-{kind.logical_id}-")
