"""State "Create Branch": the session's branch with its empty first commit."""

from __future__ import annotations

from typing import Any

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.table.publications import Publications
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation.messages import commit_message
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.settings import GitHubSettings, load


@step(StepEvent)
def handler(event: StepEvent) -> dict[str, Any]:
    """Guarantees that the branch exists on GitHub and that the row knows where it left the default branch.

    The row is looked at first: the state that claims a session goes on where a row of this id is there already, for
    then an earlier try of its own has written it. Unless the id is another session's.
    """
    settings, session = load(GitHubSettings), event.session
    table = SessionsTable(settings.sessions_table)
    table.get_own(session.session_id, event.execution_arn)
    repository = connect_for_all(settings, session.repository).repository
    branch = repository.ensure_branch(session.branch, session.default_branch, commit_message(session.issue_key.upper()))
    table.record(
        session.session_id,
        base_sha=branch.base_sha,
        initial_sha=branch.initial_sha,
        installation_id=session.installation_id,
    )
    if branch.initial_sha:
        Publications(settings.sessions_table).claim_commits(session.repository_id, session.branch, [branch.initial_sha])
    logger.info("branch ready", extra={"branch": session.branch, "base_sha": branch.base_sha})
    return {"base_sha": branch.base_sha}
