"""State "Open Draft Pull Request": where the person follows the session."""

from typing import Any

from cloud_agent.adapters.github import connect
from cloud_agent.adapters.sessions_table import SessionsTable
from cloud_agent.domain.messages import pull_request_body, pull_request_title
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.settings import GitHubSettings, load


@step(StepEvent)
def handler(event: StepEvent) -> dict[str, Any]:
    """Guarantees one open pull request from the session's branch, tied to the session in the table."""
    settings, session = load(GitHubSettings), event.session
    repository = connect(settings, session.repo, session.installation_id)
    pull = repository.ensure_draft_pull_request(
        session.branch,
        session.default_branch,
        pull_request_title(session.issue_title, session.issue_key),
        pull_request_body(session.issue_number, session.requested_by),
    )
    SessionsTable(settings.sessions_table).record_pull_request(session.session_id, session.repo, pull.number, pull.url)
    logger.info("pull request ready", extra={"pull_number": pull.number})
    return {"pull_number": pull.number, "pull_url": pull.url}
