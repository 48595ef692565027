"""Commits on a session's branch: its agent has them in the preview within seconds, also while Claude isn't at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.table.issue_sessions import live_session_of_branch
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.observability import identify_session, logger

if TYPE_CHECKING:
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Follow


def follow(settings: WebhookSettings, decision: Follow) -> dict[str, str]:
    """Note where the branch is now on the row of its live session, if there is one.

    Needs no memory of deliveries: the agent asks GitHub what the branch is, so that an old or a repeated note is
    harmless.
    """
    session = live_session_of_branch(settings.sessions_table, decision.repository, decision.branch)
    if session is None:
        return {"ignored": f"no live session works on {decision.branch}"}
    identify_session(session.session_id, session.execution_arn)
    SessionsTable(settings.sessions_table).record_branch(session.session_id, decision.head_sha)
    logger.info("branch moved", extra={"branch": decision.branch, "head_sha": decision.head_sha})
    return {"session_id": session.session_id, "branch_sha": decision.head_sha}
