"""A branch that moves, and a base that changes: the live session follows, also while Claude isn't at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.adapters.table.issue_sessions import live_session_of_branch, sessions_of_pull
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.observability import identify_session, logger

if TYPE_CHECKING:
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Follow, FollowBase


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


def follow_base(settings: WebhookSettings, decision: FollowBase) -> dict[str, str]:
    """Note which branch a live session's pull request is for now.

    Needs no memory of deliveries: GitHub is asked, so that neither their order nor their number changes what is noted.
    The next session asks anyway.

    Raises:
        CloudAgentError: as `connect_for_all` and `Repository` do.
    """
    sessions = sessions_of_pull(settings.sessions_table, decision.repository, decision.pull_number)
    if sessions is None or not sessions.current.status.is_live:
        return {"ignored": f"no live session works on #{decision.pull_number}"}
    session = sessions.current
    identify_session(session.session_id, session.execution_arn)
    repository = connect_for_all(settings, decision.repository, SHORT).repository
    base = repository.pull_request(decision.pull_number).base.ref
    SessionsTable(settings.sessions_table).record_base(session.session_id, base)
    logger.info("base changed", extra={"base_branch": base})
    return {"session_id": session.session_id, "base_branch": base}
