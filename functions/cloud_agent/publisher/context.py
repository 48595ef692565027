"""What publishing works with: the table's rows of a session, and its repository on GitHub."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_agent.adapters.github.connection import GitHub, connect
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.publications import Publications
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.slots import Slots

if TYPE_CHECKING:
    from cloud_agent.domain.session.repository import GitHubRepository
    from cloud_agent.domain.session.session import Session
    from cloud_agent.domain.session.session_request import RequestedSession
    from cloud_agent.settings import PublishingSettings


@dataclass(frozen=True)
class PublishingContext:
    """The stores and a way to GitHub, which is opened only when something is to be written or asked there."""

    settings: PublishingSettings
    sessions: SessionsTable
    prompts: Prompts
    slots: Slots
    publications: Publications
    _connected: dict[GitHubRepository, GitHub] = field(default_factory=dict)

    def github(self, session: Session | RequestedSession) -> GitHub:
        """Return the session's repository, connected to once in an invocation."""
        repository = session.repository
        if repository not in self._connected:
            self._connected[repository] = connect(self.settings, repository)
        return self._connected[repository]


def publishing_context(settings: PublishingSettings) -> PublishingContext:
    """Return how this deployment publishes."""
    table = settings.sessions_table
    return PublishingContext(settings, SessionsTable(table), Prompts(table), Slots(table), Publications(table))
