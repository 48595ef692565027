"""Which agent works in a session: the standard one, or the one that is tried out; each has a label of its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Agent(StrEnum):
    """The task definition that a session's container is started from."""

    STANDARD = "standard"
    STAGING = "staging"


@dataclass(frozen=True)
class TriggerLabels:
    """The labels that start sessions. `staging` is empty where there is no staging agent."""

    standard: str
    staging: str = ""

    def agent_of(self, label: str) -> Agent | None:
        """Return the agent that this label asks for; None when the label is not one of ours.

        As on GitHub, where a repository has one label of a name, whatever its case.
        """
        name = label.casefold()
        if name == self.standard.casefold():
            return Agent.STANDARD
        return Agent.STAGING if self.staging and name == self.staging.casefold() else None

    def is_on(self, labels: Iterable[str], agent: Agent) -> bool:
        """Whether the label that starts this agent is among those of an issue."""
        return self.label_of(agent).casefold() in {label.casefold() for label in labels}

    def label_of(self, agent: Agent) -> str:
        """Return the label that starts a session of this agent, or of the one that there is instead of it."""
        return self.staging if self.available(agent) is Agent.STAGING else self.standard

    def available(self, agent: Agent) -> Agent:
        """Return this agent, or the standard one where the staging agent has been removed."""
        return agent if self.staging else Agent.STANDARD

    def foreign(self) -> str:
        """Why any other label starts and ends nothing."""
        if self.staging:
            return f"the label is neither '{self.standard}' nor '{self.staging}'"
        return f"the label is not '{self.standard}'"
