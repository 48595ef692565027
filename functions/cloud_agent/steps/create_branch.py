"""State "Create Branch": the session's branch with its empty first commit."""

from typing import Any

from cloud_agent.adapters.github import connect
from cloud_agent.adapters.sessions_table import SessionsTable
from cloud_agent.domain.messages import commit_message
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.settings import GitHubSettings, load


@step(StepEvent)
def handler(event: StepEvent) -> dict[str, Any]:
    """Guarantees that the branch exists on GitHub and that the row knows where it left the default branch."""
    settings, session = load(GitHubSettings), event.session
    repository = connect(settings, session.repo, session.installation_id)
    branch = repository.ensure_branch(session.branch, session.default_branch, commit_message(session.issue_key.upper()))
    SessionsTable(settings.sessions_table).record(
        session.session_id,
        base_sha=branch.base_sha,
        initial_sha=branch.initial_sha,
        installation_id=session.installation_id,
    )
    logger.info("branch ready", extra={"branch": session.branch, "base_sha": branch.base_sha})
    return {"base_sha": branch.base_sha}
