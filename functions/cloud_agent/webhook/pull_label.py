"""A trigger label on a pull request: it starts nothing there, and whoever added it is told what does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.adapters.table.explanations import Explanations
from cloud_agent.adapters.table.issue_sessions import sessions_of_pull
from cloud_agent.domain.conversation import replies

if TYPE_CHECKING:
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import LabelPull


def explain_label(settings: WebhookSettings, decision: LabelPull) -> dict[str, str]:
    """Say on the pull request how to go on: once for each person, so that nobody can make it a loop.

    Raises:
        CloudAgentError: as `connect_for_all` and `Conversation` do; a later try says it.
    """
    repository, number, identity = decision.repository, decision.number, decision.identity
    topic = f"label by {decision.login}"
    if Explanations(settings.sessions_table).may_explain(repository.id, f"pull#{number}", topic, identity):
        sessions = sessions_of_pull(settings.sessions_table, repository, number)
        text = replies.label_on_pull_request(sessions.current if sessions else None, decision.label)
        github = connect_for_all(settings, repository, SHORT).conversation
        github.ensure_comment(number, replies.reply_marker(identity), replies.reply(identity, text), decision.at)
    return {"ignored": f"#{number} is a pull request, and a session starts from an issue"}
