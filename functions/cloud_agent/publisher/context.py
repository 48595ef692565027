"""What publishing works with: the table's rows of a session, and its repository on GitHub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cloud_agent.adapters.github.repository import GitHubRepository, connect
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.publications import Publications
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.slots import Slots
from cloud_agent.settings import PublishingSettings

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

Connect = Callable[[PublishingSettings, str, int | None], GitHubRepository]


@dataclass(frozen=True)
class PublishingContext:
    """The stores and a way to GitHub, which is opened only when something is to be written or asked there."""

    settings: PublishingSettings
    sessions: SessionsTable
    prompts: Prompts
    slots: Slots
    publications: Publications
    connect: Connect

    def repository(self, session: Session) -> GitHubRepository:
        """Return the session's repository."""
        return self.connect(self.settings, session.repo, session.installation_id)


def publishing_context(settings: PublishingSettings, connect_: Connect = connect) -> PublishingContext:
    """Return how this deployment publishes. A repository is connected to, and a token asked for, once."""
    table = settings.sessions_table
    return PublishingContext(
        settings, SessionsTable(table), Prompts(table), Slots(table), Publications(table), cache(connect_)
    )
